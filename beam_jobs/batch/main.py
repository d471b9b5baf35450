"""Runs the nightly job: plan, pipeline, outcome."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)
from apache_beam.runners.runner import PipelineState

from beam_jobs.batch.arguments import parse_arguments
from beam_jobs.batch.pipeline import score_night
from beam_jobs.batch.planning import read_or_make_plan
from beam_jobs.objects import open_objects
from beam_jobs.prediction.pinned import pinned_model
from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import RunManifest
from beam_jobs.spec.errors import SpecError


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Its exit code is 0 when the job is done, or submitted without --wait.

    It is 1 when the job failed, and 2 when there is no sense in starting it.
    """
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    try:
        plan = read_or_make_plan(arguments.night)
        model = pinned_model(plan.model, plan.spec)
    except (SpecError, ModelError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    options = PipelineOptions(arguments.beam)
    job_name = options.view_as(GoogleCloudOptions).job_name or ""
    pipeline = beam.Pipeline(options=options)
    score_night(pipeline, plan, arguments.attempt, model, job_name)
    result: Any = pipeline.run()
    manifest = RunLayout(plan.root, plan.run_key).attempt(arguments.attempt).manifest
    if (options.view_as(StandardOptions).runner or "").endswith("DataflowRunner"):
        print(f"Dataflow job {result.job_id()}; its manifest will be {manifest}", flush=True)
        if not arguments.wait:
            return 0
    return _outcome(result, manifest)


def _outcome(result: Any, uri: str) -> int:
    state = result.wait_until_finish()
    if state != PipelineState.DONE:
        print(f"the job ended as {state}", file=sys.stderr)
        return 1
    manifest = RunManifest.model_validate_json(open_objects(uri).read(uri))
    dead = ", ".join(f"{rows} {code}" for code, rows in manifest.summary.dead_by_code.items())
    print(
        f"{manifest.rows_in} rows in, {manifest.rows_scored} scored, {manifest.rows_dead} dead"
        f"{f' ({dead})' if dead else ''}\n{uri}"
    )
    return 0
