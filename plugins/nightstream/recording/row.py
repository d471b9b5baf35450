"""What is remembered of a DAG run. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from beam_jobs.runs.manifest import RunManifest
from beam_jobs.runs.plan import RunPlan
from nightstream.drift.figures import Drift
from nightstream.runs import PublishedRun, ResolvedRun, ScoredRun

LISTED_INPUTS = 200
"""Input objects that the row lists; the plan lists all of them."""

Row = dict[str, str | int | float | date | datetime | None]
"""By column of `scoring_runs`."""


@dataclass(frozen=True)
class DagRunTimes:
    """When things happened, as far as Airflow knows."""

    dag_id: str
    run_id: str
    queued_at: datetime
    started_at: datetime | None
    task_seconds: Mapping[str, float]


def run_row(
    times: DagRunTimes,
    plan: RunPlan,
    manifest: RunManifest,
    resolved: ResolvedRun,
    scored: ScoredRun,
    published: PublishedRun,
    drift: Drift | None,
    recorded_at: datetime,
) -> Row:
    """The row of one DAG run; drift is None where it was not measured."""
    inputs = [item.model_dump() for item in plan.inputs[:LISTED_INPUTS]]
    interval = plan.interval
    return {
        "score_date": plan.score_date,
        "service": plan.service,
        "dag_id": times.dag_id,
        "run_id": times.run_id,
        "outcome": published.outcome.value,
        "run_key": plan.run_key,
        "interval_start": interval.start if interval else None,
        "interval_end": interval.end if interval else None,
        "plan_uri": resolved.plan_uri,
        "input_count": len(plan.inputs),
        "inputs": _json(inputs),
        "late_inputs": _json(resolved.late_inputs),
        "rows_in": manifest.rows_in,
        "rows_scored": manifest.rows_scored,
        "rows_dead": manifest.rows_dead,
        "dead_by_code": _json(manifest.summary.dead_by_code),
        "model_version": manifest.models,
        "model_kind": plan.model.kind,
        "model_sha256": plan.model.sha256,
        "code_version": plan.code_version,
        "job_id": scored.job_id,
        "job_name": scored.job_name,
        "attempt": manifest.attempt,
        "manifest_uri": scored.manifest_uri,
        "partition": published.partition,
        "sequence": published.sequence,
        "dead_letters_load": published.dead_letters_load,
        "predictions_load": published.predictions_load,
        "queued_at": times.queued_at,
        "started_at": times.started_at,
        "scored_at": datetime.fromisoformat(manifest.finished_at),
        "published_at": published.published_at,
        "recorded_at": recorded_at,
        "task_seconds": _json(times.task_seconds),
        **_drift(drift),
        "drift_allowed": resolved.drift_allowed,
    }


def _drift(drift: Drift | None) -> Row:
    if drift is None:
        return dict.fromkeys(("drift_verdict", "drift_psi", "drift_column", "drift"))
    worst = drift.worst
    return {
        "drift_verdict": drift.verdict.value,
        "drift_psi": worst.value if worst else None,
        "drift_column": worst.column if worst else None,
        "drift": _json(drift.by_column()),
    }


def fingerprint(row: Row) -> str:
    """Equal for rows that say the same, whenever they are recorded; a legal label value."""
    content = {name: str(value) for name, value in row.items() if name != "recorded_at"}
    return hashlib.sha256(_json(content).encode()).hexdigest()[:40]


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
