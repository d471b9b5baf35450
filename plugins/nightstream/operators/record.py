"""Remembers what became of an audited run: one row of `scoring_runs` for each DAG run."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule

from nightstream.links import TableLink, table_url
from nightstream.operators.base import ServiceOperator, published_run, resolved_run, scored_run
from nightstream.tables import RUNS_TABLE, runs_schema, table_id

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.drift.figures import Drift
    from nightstream.recording.row import DagRunTimes, Row


class RecordOperator(ServiceOperator):
    """Downstream of `audit` and `publish`: an audited run is recorded though nothing was published.

    Returns the id of the BigQuery job that wrote the row.
    """

    ui_color = "#eeeaf7"
    operator_extra_links = (TableLink(),)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
        super().__init__(**kwargs)

    def execute(self, context: Context) -> str:
        from nightstream.hooks.bigquery import bigquery_client, extended_table
        from nightstream.recording.recorder import Recorder

        self.link = table_url(self.environment, RUNS_TABLE)
        client, table, schema = (
            bigquery_client(self.environment),
            table_id(self.environment, RUNS_TABLE),
            runs_schema().kept(self.environment.retention.runs_days),
        )
        extended_table(client, table, schema)
        location = self.environment.bigquery.location
        recorder = Recorder(client, location, table, schema, sleep=time.sleep)
        row = self._row(context)
        self.log.info("\n".join(f"{name}: {value}" for name, value in row.items()))
        return recorder.record(row)

    def _row(self, context: Context) -> Row:
        from beam_jobs.runs.manifest import RunManifest
        from beam_jobs.runs.plan import RunPlan
        from nightstream.recording.row import run_row

        resolved, scored = resolved_run(context), scored_run(context)
        return run_row(
            _times(context),
            RunPlan.model_validate_json(self.objects.read(resolved.plan_uri)),
            RunManifest.model_validate_json(self.objects.read(scored.manifest_uri)),
            resolved,
            scored,
            published_run(context),
            self._drift(scored.manifest_uri),
            recorded_at=datetime.now(UTC),
        )

    def _drift(self, manifest_uri: str) -> Drift | None:
        """What the audit measured; None where an audit of an earlier release did not."""
        from nightstream.drift.figures import NightDrift, drift_uri

        try:
            return NightDrift.model_validate_json(self.objects.read(drift_uri(manifest_uri)))
        except FileNotFoundError:
            return None


def _times(context: Context) -> DagRunTimes:
    from nightstream.recording.row import DagRunTimes

    run, ti = context["dag_run"], context["ti"]
    finished = ti.get_task_breadcrumbs(run.dag_id, run.run_id)  # type: ignore[attr-defined]
    return DagRunTimes(
        dag_id=run.dag_id,
        run_id=run.run_id,
        queued_at=run.run_after,
        started_at=run.start_date,
        task_seconds={
            task["task_id"]: round(task["duration"], 3) for task in finished if task["duration"]
        },
    )
