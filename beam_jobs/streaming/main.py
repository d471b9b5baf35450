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

from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.code import CodeVersionError
from beam_jobs.spec.streaming import StreamingSpec
from beam_jobs.streaming.arguments import parse_arguments
from beam_jobs.streaming.pipeline import score_requests
from beam_jobs.streaming.planning import PlanError, read_plan

_PATIENCE = 3
"""So many times longer than it may take must a step hang before its worker is given up."""


def main(argv: Sequence[str] | None = None) -> int:
    """Submits the job and prints its id; the exit code is 2 when there is no sense in that."""
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    try:
        plan = read_plan(arguments.plan)
    except (PlanError, ModelError, CodeVersionError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    options = streaming_options(arguments.beam, plan.streaming)
    if not (options.view_as(StandardOptions).runner or "").endswith("DataflowRunner"):
        print(
            "the streaming job reads Pub/Sub as Dataflow does. Remedy: --runner=DataflowRunner",
            file=sys.stderr,
        )
        return 2
    pipeline = beam.Pipeline(options=options)
    score_requests(pipeline, plan, arguments.subscription or plan.subscription)
    result: Any = pipeline.run()
    print(f"Dataflow job {result.job_id()}; revision {plan.revision}", flush=True)
    return 0


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
