"""The job's pipeline."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.pvalue import PCollection

from beam_jobs.prediction.handler import ArrowModelHandler
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.remote.handler import EndpointHandler
from beam_jobs.reading import ByteRange, SourceLayout
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import SourceCount
from beam_jobs.runs.plan import RunPlan
from beam_jobs.transforms.account import Account
from beam_jobs.transforms.coders import register_coders
from beam_jobs.transforms.columns import Provenance, prediction_schema
from beam_jobs.transforms.elements import ScoredBatch, SourceRange, ValidBatch
from beam_jobs.transforms.histograms import Profile
from beam_jobs.transforms.letters import ReadLetters, letter_groups
from beam_jobs.transforms.manifest import FinishAttempt, read_manifest
from beam_jobs.transforms.predict import settle
from beam_jobs.transforms.read import InspectInputs, ReadRanges
from beam_jobs.transforms.report import JobReport, add_reports
from beam_jobs.transforms.write import WriteDeadLetters, WritePredictions

_Handler = ModelHandler[ValidBatch[SourceRange], ScoredBatch[SourceRange], Any]


def score_night(
    pipeline: beam.Pipeline, plan: RunPlan, attempt: int, model: ModelManifest, job_name: str
) -> PCollection:
    """Scores everything that the plan names; the manifest is the one element that comes out.

    From reading a range to writing its rows is one fused stage: only ranges and reports, never
    rows, travel between workers.
    """
    layout = RunLayout(plan.root, plan.run_key).attempt(attempt)
    profile = _profile(plan, model)
    run = Provenance.of(plan)
    register_coders()

    valid, reported = _read_letters(pipeline, plan) if plan.replay else _read_inputs(pipeline, plan)
    scored = valid | "Predict" >> RunInference(_handler(plan, model)).with_output_types(ScoredBatch)
    predictions = WritePredictions(layout.predictions, prediction_schema(plan.spec), run)
    dead_letters = WriteDeadLetters(layout.dead_letters, run, plan.spec.input)
    reports = (
        *reported,
        scored | "Write predictions" >> beam.ParDo(predictions),
        scored | "Write dead letters" >> beam.ParDo(dead_letters),
        scored | "Account" >> beam.ParDo(Account(profile)),
    )
    return (
        reports
        | "All reports" >> beam.Flatten()
        | "Add up" >> beam.CombineGlobally(add_reports)
        | "Manifest" >> beam.Map(FinishAttempt.of(plan, attempt, job_name, layout, profile))
    )


def _read_inputs(
    pipeline: beam.Pipeline, plan: RunPlan
) -> tuple[PCollection, tuple[PCollection, ...]]:
    """The rows of the input objects, and reports on the objects."""
    layouts = (
        pipeline
        | "Inputs" >> beam.Create(plan.inputs)
        | "Inspect" >> beam.ParDo(InspectInputs(plan))
    )
    rows = (
        layouts
        | "Ranges" >> beam.FlatMap(byte_ranges, plan.spec.job.split_bytes)
        | "Spread" >> beam.Reshuffle()
        | "Read and validate" >> beam.ParDo(ReadRanges(plan.spec)).with_output_types(ValidBatch)
    )
    return rows, (layouts | "Report inputs" >> beam.Map(source_report),)


def _read_letters(
    pipeline: beam.Pipeline, plan: RunPlan
) -> tuple[PCollection, tuple[PCollection, ...]]:
    """The rows of the dead letters that a replay tries; the manifest of the publication that it
    revises tells of the input objects."""
    assert plan.replay is not None
    rows = (
        pipeline
        | "Letters" >> beam.Create(letter_groups(plan.replay))
        | "Spread" >> beam.Reshuffle()
        | "Read and validate"
        >> beam.ParDo(ReadLetters(plan, plan.replay)).with_output_types(ValidBatch)
    )
    return rows, ()


def _profile(plan: RunPlan, model: ModelManifest) -> Profile:
    """A revision is summarised by the bins of what it revises, whatever its model."""
    if plan.replay is None:
        return Profile.of(plan.spec, model.reference)
    return Profile.like(plan.spec, read_manifest(plan.replay.manifest_uri).summary)


def _handler(plan: RunPlan, model: ModelManifest) -> _Handler:
    """In the worker, or by the endpoint, as the plan says."""
    pin, spec = plan.model, plan.spec.model.endpoint
    if pin.endpoint and spec:
        return EndpointHandler(model, pin.endpoint, spec, settle)
    return ArrowModelHandler(pin.uri, pin.sha256, settle)


def byte_ranges(layout: SourceLayout, split_bytes: int) -> list[tuple[SourceLayout, ByteRange]]:
    """The pieces in which an object is read."""
    return [(layout, part) for part in layout.ranges(split_bytes)]


def source_report(layout: SourceLayout) -> JobReport:
    """An object is reported even if it has no rows, and so no ranges."""
    source = SourceCount(
        object=layout.object,
        ranges=(),
        extra_columns=layout.extra_columns,
        columns=layout.columns,
    )
    return JobReport(sources=(source,))
