"""Starts the streaming job."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    PipelineOptions,
    StandardOptions,
    WorkerOptions,
)
from apache_beam.runners.runner import PipelineState

from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.code import CodeVersionError
from beam_jobs.spec.streaming import StreamingSpec
from beam_jobs.streaming.arguments import parse_arguments
from beam_jobs.streaming.pipeline import score_requests
from beam_jobs.streaming.planning import PlanError, read_plan

_PATIENCE = 3
"""So many times longer than it may take must a step hang before its worker is given up."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Its exit code is 0 when the job is submitted, or has ended well elsewhere.

    It is 1 when the job failed, and 2 when there is no sense in starting it.
    """
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    try:
        plan = read_plan(arguments.plan)
    except (PlanError, ModelError, CodeVersionError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    subscription = arguments.subscription or plan.subscription
    options = streaming_options(arguments.beam, plan.streaming)
    pipeline = beam.Pipeline(options=options)
    score_requests(pipeline, plan, subscription)
    result: Any = pipeline.run()
    if (options.view_as(StandardOptions).runner or "").endswith("DataflowRunner"):
        print(f"Dataflow job {result.job_id()}; revision {plan.revision}", flush=True)
        return 0
    return 0 if result.wait_until_finish() == PipelineState.DONE else 1


def streaming_options(beam_options: Sequence[str], spec: StreamingSpec) -> PipelineOptions:
    """The caller's options, and what every streaming job needs.

    Beam ends a worker in which one element takes too long: the last resort, for when the watch
    over the model hangs too.
    """
    options = PipelineOptions([*beam_options, "--streaming"])
    worker = options.view_as(WorkerOptions)
    if worker.element_processing_timeout_minutes is None:
        longest = max(spec.model_timeout_seconds, spec.write_retry_seconds)
        worker.element_processing_timeout_minutes = math.ceil(longest * _PATIENCE / 60)
    return options
