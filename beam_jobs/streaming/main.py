"""Starts the streaming job."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
    WorkerOptions,
)

from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.code import CodeVersionError
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.streaming.arguments import parse_arguments
from beam_jobs.streaming.pipeline import score_requests
from beam_jobs.streaming.planning import PlanError, read_plan
from beam_jobs.streaming.replacing import NothingToUpdateError, require_running


class OptionsError(Exception):
    """Pipeline options that no streaming job can be submitted with."""


_REFUSALS = (
    PlanError,
    ModelError,
    CodeVersionError,
    FileNotFoundError,
    OptionsError,
    NothingToUpdateError,
)
_PATIENCE = 3
"""So many times longer than it may take must a step hang before its worker is given up."""


def main(argv: Sequence[str] | None = None) -> int:
    """Submits the job and prints its id.

    The exit code is 2 when there is no sense in that; then nothing was submitted.
    """
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    try:
        plan = read_plan(arguments.plan)
        options = streaming_options(plan, arguments.beam)
        _require_sense(options)
    except _REFUSALS as error:
        print(error, file=sys.stderr)
        return 2
    pipeline = beam.Pipeline(options=options)
    score_requests(pipeline, plan, arguments.subscription or plan.subscription)
    result: Any = pipeline.run()
    print(f"Dataflow job {result.job_id()}; revision {plan.revision}", flush=True)
    return 0


def streaming_options(plan: StreamingPlan, given: Sequence[str]) -> PipelineOptions:
    """The plan's options, the caller's, which win, and what every streaming job needs.

    Beam ends a worker in which one element takes too long: the last resort, for when the watch
    over the model hangs too.
    """
    options = PipelineOptions([*plan.options, *given, "--streaming"])
    worker = options.view_as(WorkerOptions)
    if worker.element_processing_timeout_minutes is None:
        spec = plan.streaming
        endpoint = plan.spec.model.endpoint
        asking = endpoint.retry_seconds if endpoint else spec.model_timeout_seconds
        longest = max(asking, spec.write_retry_seconds)
        worker.element_processing_timeout_minutes = math.ceil(longest * _PATIENCE / 60)
    return options


def _require_sense(options: PipelineOptions) -> None:
    """Raises OptionsError or NothingToUpdateError."""
    if not (options.view_as(StandardOptions).runner or "").endswith("DataflowRunner"):
        raise OptionsError(
            "the streaming job reads Pub/Sub as Dataflow does. Remedy: --runner=DataflowRunner"
        )
    if options.view_as(GoogleCloudOptions).update:
        require_running(options)
