"""What a job leaves behind, written without running one: a plan, Parquet files, a manifest."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import Objects
from beam_jobs.prediction.manifest import (
    MANIFEST_NAME,
    ModelColumn,
    ModelManifest,
    ReferenceStatistics,
)
from beam_jobs.runs.layout import RunLayout, runs_root
from beam_jobs.runs.manifest import (
    Histogram,
    OutputFile,
    RangeCount,
    RunManifest,
    RunSummary,
    SourceCount,
)
from beam_jobs.runs.plan import InputObject, ModelPin, RunPlan, build_plan
from beam_jobs.spec import ServiceSpec
from beam_jobs.transforms.columns import DEAD_LETTER_SCHEMA, prediction_schema
from nightstream.runs import ResolvedRun, ScoredRun

if TYPE_CHECKING:
    from tests.support.turns import DagRun

NIGHT = date(2026, 1, 5)
SCORED_AT = datetime(2026, 1, 6, 7, 30, tzinfo=UTC)
ROW_BYTES = 10
"""Every row of an imitated input object has this size."""


def a_plan(
    spec: ServiceSpec, work: str, rows: int, model: str = "v1", night: date = NIGHT
) -> RunPlan:
    """A night of one input object with that many rows."""
    source = InputObject(uri="gs://input/a.csv", generation=1, size=rows * ROW_BYTES)
    pin = ModelPin(
        uri=f"gs://{work}/models/{model}", version=model, kind="sklearn", sha256="0" * 64
    )
    return build_plan(spec, night, None, [source], pin, runs_root(work, spec.service))


def a_manifest(plan: RunPlan, dead: int = 0, attempt: int = 1) -> RunManifest:
    """What the job says of a plan; its files are where `write_files` puts them."""
    [source] = plan.inputs
    rows = source.size // ROW_BYTES
    folder = RunLayout(plan.root, plan.run_key).attempt(attempt)
    counts = {"rows_in": rows, "rows_scored": rows - dead, "rows_dead": dead}
    whole = RangeCount(start=0, end=source.size, **counts)
    return RunManifest(
        run_key=plan.run_key,
        attempt=attempt,
        job_name="weights",
        model_version=plan.model.version,
        sources=(SourceCount(object=source, ranges=(whole,)),),
        predictions=(OutputFile(uri=f"{folder.predictions}/0.parquet", rows=rows - dead, size=0),),
        dead_letters=(OutputFile(uri=f"{folder.dead_letters}/0.parquet", rows=dead, size=0),),
        summary=RunSummary(
            dead_by_code={"wrong_type": dead} if dead else {},
            features={},
            predictions={
                output.name: Histogram(total=rows - dead) for output in plan.spec.model.outputs
            },
        ),
        finished_at=SCORED_AT.isoformat(),
        **counts,
    )


def score_without_a_job(
    run: DagRun,
    spec: ServiceSpec,
    work: str,
    objects: Objects,
    *,
    rows: int = 3,
    dead: int = 0,
    model: str = "v1",
    dry_run: bool = False,
    force: bool = False,
    drift_allowed: str | None = None,
    night: date = NIGHT,
    reference: ReferenceStatistics | None = None,
    counted: dict[str, dict[str, Histogram]] | None = None,
) -> RunPlan:
    """Leaves a DAG run as it is when its task `score` is done; the plan.

    reference: what the model's description tells of its training data; nothing unless given.
    counted: the histograms of `features` and `predictions`, in place of empty ones.
    """
    plan = a_plan(spec, work, rows, model, night)
    describe_model(plan.model.uri, reference or ReferenceStatistics(rows=0), objects)
    manifest = write_output(plan, dead, objects, counted)
    hand_on(run, plan, manifest, dry_run=dry_run, force=force, drift_allowed=drift_allowed)
    return plan


def describe_model(folder: str, reference: ReferenceStatistics, objects: Objects) -> None:
    """Writes the description of a version of the model of weights, without the model."""
    described = ModelManifest(
        name="weights",
        version=folder.rpartition("/")[2],
        kind="sklearn",
        artifact="model.joblib",
        sha256="0" * 64,
        inputs=(ModelColumn(name="weeks", type="float"),),
        outputs=(ModelColumn(name="weight", type="float"),),
        libraries={},
        reference=reference,
        created_at="2026-01-01T00:00:00+00:00",
    )
    objects.put(f"{folder}/{MANIFEST_NAME}", described.model_dump_json().encode())


def write_output(
    plan: RunPlan,
    dead: int,
    objects: Objects,
    counted: dict[str, dict[str, Histogram]] | None = None,
) -> RunManifest:
    """Writes all that the job of a plan would leave behind: files, manifest, and the plan."""
    manifest = a_manifest(plan, dead)
    summary = manifest.summary.model_copy(update=counted or {})
    layout = RunLayout(plan.root, plan.run_key)
    rows = manifest.rows_scored
    manifest = manifest.model_copy(
        update={
            "predictions": (_write(_predictions(plan, rows), manifest, objects),),
            "dead_letters": (_write(_dead_letters(plan, dead), manifest, objects),),
            "summary": summary,
        }
    )
    objects.put(layout.plan, plan.model_dump_json().encode())
    objects.put(layout.attempt(1).manifest, manifest.model_dump_json().encode())
    return manifest


def hand_on(
    run: DagRun,
    plan: RunPlan,
    manifest: RunManifest,
    dry_run: bool = False,
    force: bool = False,
    drift_allowed: str | None = None,
) -> None:
    """The XComs of `resolve` and `score`."""
    layout = RunLayout(plan.root, plan.run_key)
    resolved = ResolvedRun(
        service=plan.service,
        score_date=plan.score_date,
        run_key=plan.run_key,
        plan_uri=layout.plan,
        root=plan.root,
        inputs=len(plan.inputs),
        model_version=plan.model.version,
        model_kind=plan.model.kind,
        late_inputs=("gs://input/late.csv",),
        dry_run=dry_run,
        force=force,
        dead_letter_limit=plan.spec.audit.max_dead_ratio,
        drift_allowed=drift_allowed,
    )
    scored = ScoredRun(
        run_key=plan.run_key,
        attempt=manifest.attempt,
        job_id="2026-01-05_job",
        job_name=manifest.job_name,
        manifest_uri=layout.attempt(manifest.attempt).manifest,
        reused=False,
    )
    run.xcoms["resolve", "return_value"] = resolved.model_dump(mode="json")
    run.xcoms["score", "return_value"] = scored.model_dump(mode="json")


def _predictions(plan: RunPlan, rows: int) -> pa.Table:
    schema = prediction_schema(plan.spec)
    row = {
        "score_date": plan.score_date,
        "model_version": plan.model.version,
        "scored_at": SCORED_AT,
        "run_key": plan.run_key,
        "source_uri": plan.inputs[0].uri,
    }
    return pa.Table.from_pylist(
        [row | {"source_position": number * ROW_BYTES} for number in range(rows)], schema
    )


def _dead_letters(plan: RunPlan, rows: int) -> pa.Table:
    row = {
        "score_date": plan.score_date,
        "run_key": plan.run_key,
        "stage": "validate",
        "error_code": "wrong_type",
        "payload": b"a,none",
        "model_version": plan.model.version,
        "dead_at": SCORED_AT,
    }
    return pa.Table.from_pylist([row] * rows, DEAD_LETTER_SCHEMA)


def _write(table: pa.Table, manifest: RunManifest, objects: Objects) -> OutputFile:
    part = "predictions" if "scored_at" in table.column_names else "dead_letters"
    file = getattr(manifest, part)[0]
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    data = buffer.getvalue()
    objects.put(file.uri, data)
    return OutputFile(uri=file.uri, rows=table.num_rows, size=len(data))
