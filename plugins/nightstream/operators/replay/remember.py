"""The last task of a replayed night: what came of each letter is added to the table of replays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import TriggerRule

from nightstream.links import TableLink, table_url
from nightstream.operators.base import published_run, resolved_run, scored_run
from nightstream.operators.replay.base import ReplayOperator
from nightstream.runs import Outcome
from nightstream.tables import replays_schema, replays_table, table_id

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class RememberOperator(ReplayOperator):
    """Returns the id of the BigQuery job that added the rows: once for each revision, by whichever
    of its DAG runs came first."""

    ui_color = "#eeeaf7"
    operator_extra_links = (TableLink(),)
    link = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, **kwargs)

    def execute(self, context: Context) -> str:
        from beam_jobs.runs.manifest import RunManifest
        from beam_jobs.runs.plan import RunPlan
        from nightstream.hooks.bigquery import extended_table
        from nightstream.replaying.appending import append_once
        from nightstream.replaying.outcomes import (
            Tried,
            outcomes_table,
            still_dead,
            tried_letters,
        )

        if published_run(context).outcome is Outcome.DRY_RUN:
            raise AirflowSkipException("a dry run changes nothing, so there is nothing to remember")
        run, ti = resolved_run(context), context["ti"]
        plan = RunPlan.model_validate_json(self.objects.read(run.plan_uri))
        uri = scored_run(context).manifest_uri
        manifest = RunManifest.model_validate_json(self.objects.read(uri))
        assert plan.replay is not None
        tried = Tried(plan, manifest, ti.dag_id, ti.run_id)
        dead = still_dead(manifest, plan.replay, self.objects)
        self.log.info("%d of %d are dead again", len(dead), plan.replay.tried.rows)
        rows = tried.rows(tried_letters(plan.replay, self.objects), dead)
        table, schema, client = self._table(), replays_schema(), self.client()
        kept = schema.kept(self.environment.retention.replays_days)
        extended_table(client, table, kept)
        self.link = table_url(self.environment, table.table)
        columns = [column.name for column in schema.columns]
        identity = f"{run.run_key}-{manifest.attempt}"
        return append_once(client, table, schema, outcomes_table(rows, columns), identity)

    def _table(self) -> Any:
        return table_id(self.environment, replays_table(self.spec.service))
