"""Pins what a streaming job is, and makes ready what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.forms.streaming import StreamingChoices
from nightstream.links import TableLink, table_url
from nightstream.operators.base import ServiceOperator
from nightstream.streaming.records import PreparedJob

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.streaming import StreamingPlan


class PrepareOperator(ServiceOperator):
    """Writes the revision's plan, brings tables and views forward; returns a PreparedJob.

    Fails where subscription, topics or tables are not such that the job could work.
    """

    ui_color = "#e8f1fb"
    operator_extra_links = (TableLink(),)
    link = ""

    def execute(self, context: Context) -> dict[str, Any]:
        from beam_jobs.runs.streaming import build_streaming_plan
        from nightstream.streaming.launch import pinned_options

        assert self.spec.streaming is not None
        options = pinned_options(self.spec.streaming, self.environment)
        model = self.pinned_model(StreamingChoices.of(context).model_version)
        plan = build_streaming_plan(self.spec, self.environment, model, options)
        self._check_channels(plan)
        self._prepare_tables()
        self.write_plan(plan.uri, plan)
        self.log.info("Revision %s is planned in %s", plan.revision, plan.uri)
        prepared = PreparedJob(
            service=plan.service,
            revision=plan.revision,
            plan_uri=plan.uri,
            subscription=plan.subscription,
            model_version=model.version,
        )
        return prepared.model_dump(mode="json")

    def _check_channels(self, plan: StreamingPlan) -> None:
        from nightstream.hooks.pubsub import PubSubHook
        from nightstream.streaming.channels import channel_problems

        problems = channel_problems(plan, PubSubHook(self.environment))
        if problems:
            raise AirflowFailException("\n".join(problems))

    def _prepare_tables(self) -> None:
        from nightstream.hooks.bigquery import bigquery_client
        from nightstream.publishing.evolution import SchemaConflictError
        from nightstream.streaming.preparation import prepare_live_tables
        from nightstream.tables import live_predictions_view

        view = live_predictions_view(self.spec, self.environment).id
        self.link = table_url(self.environment, view.table)
        try:
            prepare_live_tables(bigquery_client(self.environment), self.spec, self.environment)
        except SchemaConflictError as error:
            raise AirflowFailException(str(error)) from error
