"""Compares the live requests of the last hours with training data and with earlier days."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from nightstream.links import TableLink, table_url
from nightstream.operators.base import ServiceOperator
from nightstream.tables import live_drift_schema, live_drift_table, table_id

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.prediction.manifest import ReferenceStatistics
    from nightstream.drift.live import LiveDrift


class WatchDriftOperator(ServiceOperator):
    """Writes the drift of the last hours as an object and as a row; tells of what is new in it.

    Nothing is stopped by it. Skipped where no request was scored. Returns the object's URI.
    """

    ui_color = "#e3f4ec"
    operator_extra_links = (TableLink(),)

    def execute(self, context: Context) -> str:
        from nightstream.drift.live import last_full_hour, live_drift_uri
        from nightstream.drift.report import table

        run = context["dag_run"]
        end = last_full_hour(run.data_interval_end or run.run_after)
        self.link = table_url(self.environment, live_drift_table(self.spec.service))
        drift = self._drift(end)
        self.log.info("Drift: %s, until %s\n%s", drift.verdict, end, table(drift))
        uri = live_drift_uri(self.environment.buckets.work, self.spec.service, end)
        self.objects.put(uri, drift.model_dump_json(indent=1).encode())
        self._record(context, drift, uri)
        self._tell(context, drift)
        return uri

    def _drift(self, end: datetime) -> LiveDrift:
        from nightstream.drift.live import live_drift, newest_version, same_hours_before
        from nightstream.drift.profiles import profiles_between

        hours = timedelta(hours=self.spec.drift.live.hours)
        profiles = profiles_between(self.environment, self.spec.service, end - hours, end)
        version = newest_version(profiles)
        if version is None:
            raise AirflowSkipException(f"no request was scored in the {hours} before {end}")
        days = same_hours_before(end, self.spec.drift.trailing_nights)
        before = {day: self._kept(then) for day, then in days.items()}
        return live_drift(
            self.spec.drift,
            self.spec.service,
            end,
            profiles,
            self._reference(version),
            {day: drift.profiled for day, drift in before.items() if drift is not None},
        )

    def _kept(self, end: datetime) -> LiveDrift | None:
        """The drift of the hours that ended then; None where nobody looked, or another release
        wrote it."""
        from pydantic import ValidationError

        from nightstream.drift.live import LiveDrift, live_drift_uri

        uri = live_drift_uri(self.environment.buckets.work, self.spec.service, end)
        try:
            return LiveDrift.model_validate_json(self.objects.read(uri))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            self.log.warning("%s is left out of the comparison: %s", uri, error)
            return None

    def _reference(self, version: str) -> ReferenceStatistics:
        from beam_jobs.prediction.versions import ModelError, open_version
        from nightstream.models import models_root

        folder = f"{models_root(self.spec, self.environment)}/{version}"
        try:
            return open_version(folder, self.objects).reference
        except ModelError as error:
            raise AirflowFailException(f"drift cannot be measured: {error}") from error

    def _record(self, context: Context, drift: LiveDrift, uri: str) -> None:
        from nightstream.hooks.bigquery import bigquery_client, extended_table
        from nightstream.recording.live_drift import live_drift_row
        from nightstream.recording.recorder import Recorder

        client = bigquery_client(self.environment)
        table, schema = (
            table_id(self.environment, live_drift_table(self.spec.service)),
            live_drift_schema(),
        )
        extended_table(client, table, schema)
        run = context["dag_run"]
        recorder = Recorder(
            client, self.environment.bigquery.location, table, schema, sleep=time.sleep
        )
        recorder.record(live_drift_row(drift, run.dag_id, run.run_id, uri))

    def _tell(self, context: Context, drift: LiveDrift) -> None:
        """People hear of what was not so an hour ago."""
        from nightstream.alerts import Alert, send
        from nightstream.drift.figures import Verdict
        from nightstream.drift.live import news

        new = news(drift, self._kept(drift.window_end - timedelta(hours=1)))
        if new:
            text = f"live requests until {drift.window_end}: " + "; ".join(map(str, new))
            severe = any(figure.verdict is Verdict.STOP for figure in new)
            self.log.warning("%s", text)
            alert = Alert("LIVE DRIFT", text, self.spec.service, "error" if severe else "warning")
            send(alert, self.environment.airflow.alerts, context)
