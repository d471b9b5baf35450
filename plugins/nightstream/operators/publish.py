"""Makes the night's partitions hold exactly the rows of an audited run."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    BaseSensorOperator,
)

from nightstream.links import TableLink, table_url
from nightstream.operators.base import ServiceOperator, audited_run, resolved_run
from nightstream.runs import AuditedRun, Outcome, PublishedRun, ResolvedRun
from nightstream.tables import (
    dead_letters_table,
    predictions_asset,
    predictions_table,
    table_id,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.spec import EnvironmentSpec, ServiceSpec
    from nightstream.publishing.publisher import Published

MAX_POLL_SECONDS = 2.0
"""Between two looks at a load, which usually takes seconds."""


class PublishOperator(ServiceOperator, BaseSensorOperator):
    """Returns a PublishedRun; is skipped where nothing is left to be published.

    While another DAG run publishes the same night, the task reschedules itself. A load that is
    under way is waited for, up to the task's `execution_timeout`; its retry finds it again.
    """

    ui_color = "#fde3dc"
    operator_extra_links = (TableLink(),)

    def __init__(self, *, spec: ServiceSpec, environment: EnvironmentSpec, **kwargs: Any) -> None:
        kwargs.setdefault("execution_timeout", timedelta(hours=2))
        super().__init__(
            spec=spec,
            environment=environment,
            # Only of a sensor does the scheduler heed the date that it is to be rescheduled at.
            mode="reschedule",
            outlets=[predictions_asset(environment, spec.service)],
            **kwargs,
        )
        self.predictions = table_id(environment, predictions_table(spec.service))
        self.dead_letters = table_id(environment, dead_letters_table(spec.service))

    def execute(self, context: Context) -> dict[str, Any]:
        run, audited = resolved_run(context), audited_run(context)
        self.link = table_url(self.environment, self.predictions.table)
        partition = self.predictions.partition(run.score_date)
        if run.dry_run:
            done = PublishedRun(outcome=Outcome.DRY_RUN, partition=partition)
            self._skip(context, done, "a dry run publishes nothing")
        published = self._published(context, run, audited)
        intent = published.publication.intent
        done = PublishedRun(
            outcome=Outcome.SKIPPED_IDENTICAL if published.skipped else Outcome.PUBLISHED,
            partition=partition,
            sequence=intent.sequence,
            dead_letters_load=intent.dead_letters_job,
            predictions_load=intent.predictions_job,
            published_at=published.publication.published_at,
        )
        if published.skipped:
            by = intent.publisher
            why = f"run {by.run_key} is published already, by {by.dag_id} run {by.run_id}"
            self._skip(context, done, why)
        self.log.info("%s holds %d rows of run %s", partition, audited.rows_scored, run.run_key)
        context["outlet_events"][self.outlets[0]].extra = {
            "rows": audited.rows_scored,
            "run_key": run.run_key,
            "model_version": run.model_version,
            "score_date": run.score_date.isoformat(),
        }
        return done.model_dump(mode="json")

    def _published(self, context: Context, run: ResolvedRun, audited: AuditedRun) -> Published:
        from airflow.exceptions import AirflowRescheduleException

        from nightstream.publishing.evolution import SchemaConflictError
        from nightstream.publishing.publisher import (
            LoadFailedError,
            NightHeldError,
            NightMovedOnError,
        )

        try:
            return self._publish(context, run, audited)
        except (SchemaConflictError, NightMovedOnError) as error:
            raise AirflowFailException(str(error)) from error
        except LoadFailedError as error:
            self.require_files(audited.manifest_uri)
            raise AirflowException(str(error)) from error
        except NightHeldError as held:
            self.log.info("%s; looking again later", held)
            again = datetime.now(UTC) + timedelta(seconds=self.environment.airflow.poll_seconds)
            raise AirflowRescheduleException(min(again, held.until)) from held

    def _publish(self, context: Context, run: ResolvedRun, audited: AuditedRun) -> Published:
        from beam_jobs.runs.manifest import RunManifest
        from beam_jobs.runs.plan import RunPlan
        from nightstream.hooks.bigquery import bigquery_client
        from nightstream.publishing.ledger import Publisher
        from nightstream.publishing.ledgers import LedgerFile, ledger_uri
        from nightstream.publishing.loads import BigQueryLoads
        from nightstream.publishing.preparation import Cargo, prepare_tables
        from nightstream.publishing.publisher import NightPublisher

        plan = RunPlan.model_validate_json(self.objects.read(run.plan_uri))
        manifest = RunManifest.model_validate_json(self.objects.read(audited.manifest_uri))
        retention = self.environment.retention
        cargo = Cargo.of(plan, manifest, self.dead_letters, self.predictions, retention)
        client = bigquery_client(self.environment)
        prepare_tables(client, cargo)
        ti = context["ti"]
        me = Publisher(
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            try_number=ti.try_number,
            run_key=run.run_key,
            manifest_uri=audited.manifest_uri,
        )
        ledger = ledger_uri(self.environment.buckets.work, run.service, run.score_date)
        publisher = NightPublisher(
            LedgerFile(self.objects, ledger),
            BigQueryLoads(client, self.environment.bigquery.location),
            now=lambda: datetime.now(UTC),
            sleep=time.sleep,
            poll_seconds=min(self.environment.airflow.poll_seconds, MAX_POLL_SECONDS),
        )
        return publisher.publish(me, cargo, run.force)

    def _skip(self, context: Context, done: PublishedRun, why: str) -> NoReturn:
        """Ends the task as skipped, and tells `record` nevertheless."""
        context["ti"].xcom_push(key="return_value", value=done.model_dump(mode="json"))
        raise AirflowSkipException(why)
