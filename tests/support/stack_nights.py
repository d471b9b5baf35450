"""The example service on a stack: nights sent, runs watched, tables read."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from beam_jobs.objects.gcs import GcsObjects
from beam_jobs.prediction.versions import set_alias
from examples.babyweight.nights import Night, make_night
from local.stack import Stack
from local.stack.airflow_api import AirflowApi

DAG_ID = "babyweight_batch"
MODELS = "gs://nightstream-models/babyweight"
_PATIENCE_S = 480


@dataclass(frozen=True)
class StackNights:
    stack: Stack
    airflow: AirflowApi
    objects: GcsObjects
    client: bigquery.Client
    dataset: str
    dag_id: str = DAG_ID

    @classmethod
    def seeing(cls, stack: Stack, dag_id: str = DAG_ID) -> StackNights:
        """One DAG of a stack and what is in its cloud, as they are."""
        settings = stack.settings
        options = ClientOptions(api_endpoint=settings.cloud_url)
        anonymous = AnonymousCredentials()
        project = settings.names.project
        gcs = storage.Client(project, anonymous, client_options=options)
        return cls(
            stack,
            AirflowApi(settings.airflow_url),
            GcsObjects(gcs),
            bigquery.Client(project, anonymous, client_options=options),
            settings.names.dataset,
            dag_id,
        )

    @classmethod
    def on(cls, stack: Stack) -> StackNights:
        """Trains versions v1 and v2 (champion is v1) and switches the DAG on."""
        nights = cls.seeing(stack)
        for version, kind in (("v1", "sklearn"), ("v2", "xgboost")):
            command = ["-m", "examples.babyweight.train", "--models", MODELS]
            trained = stack.run(sys.executable, *command, "--version", version, "--kind", kind)
            assert trained.returncode == 0, trained.stderr
        set_alias(MODELS, "champion", "v1", nights.objects)
        return nights.switched_on(DAG_ID)

    def switched_on(self, dag_id: str) -> Self:
        """The same service seen through one of its DAGs, which is switched on."""
        seen = replace(self, dag_id=dag_id)
        seen.wait_for_dag()
        seen.airflow.pause(dag_id, paused=False)
        return seen

    def wait_for_dag(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while self.airflow.dag(self.dag_id) is None:
            assert time.monotonic() < deadline, self.airflow.import_errors()
            time.sleep(0.5)

    def send(self, day: date, births: int = 200, broken: int = 1) -> Night:
        """Writes a night's files and its marker."""
        night = make_night(day, births, broken)
        folder = f"gs://nightstream-input/babyweight/{day}/"
        for name, content in night.files.items():
            self.objects.put(folder + name, content)
        self.objects.put(folder + "_SUCCESS", b"")
        return night

    def trigger(self, day: date, **choices: Any) -> str:
        """Starts a run of a night by hand, without a logical date."""
        return self.airflow.trigger(DAG_ID, {"score_date": str(day), **choices})

    def finished(self, *run_ids: str) -> list[str]:
        """The states of runs, once all of them are over."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            states = [self.airflow.run(self.dag_id, run_id)["state"] for run_id in run_ids]
            if all(state in ("success", "failed") for state in states):
                return states
            assert time.monotonic() < deadline, dict(zip(run_ids, states, strict=True))
            time.sleep(0.5)

    def task_states(self, run_id: str) -> dict[str, str]:
        tasks = self.airflow.tasks(self.dag_id, run_id)
        return {name: task["state"] for name, task in tasks.items()}

    def log(self, run_id: str, task_id: str) -> str:
        """The log of the task's last try."""
        attempt = self.airflow.tasks(self.dag_id, run_id)[task_id]["try_number"]
        return self.airflow.log(self.dag_id, run_id, task_id, attempt)

    def backfill(self, first: date, last: date, *options: str) -> list[str]:
        """Creates a backfill by the command, once the one before it is complete; the ids of the
        runs of its nights."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.airflow.backfills_under_way(DAG_ID):
            assert time.monotonic() < deadline, "the backfill before this one does not end"
            time.sleep(0.5)
        command = ["airflow", "backfill", "create", "--dag-id", DAG_ID, "--max-active-runs", "3"]
        dates = ["--from-date", str(first), "--to-date", str(last)]
        created = self.stack.run(*command, *dates, *options)
        assert created.returncode == 0, created.stdout + created.stderr
        return [
            run["dag_run_id"]
            for run in self.airflow.runs(DAG_ID)
            if run["run_type"] == "backfill"
            and str(first) <= run["data_interval_start"][:10] <= str(last)
        ]

    def query(self, sql: str, nights: Iterable[date]) -> list[dict[str, Any]]:
        """Rows of a query, in which @nights are dates."""
        config = bigquery.QueryJobConfig(
            query_parameters=[bigquery.ArrayQueryParameter("nights", "DATE", list(nights))]
        )
        rows = self.client.query(sql.format(dataset=self.dataset), config).result()
        return [dict(row) for row in rows]

    def recorded(self, day: date) -> list[dict[str, Any]]:
        """The rows of scoring_runs about a night, oldest first."""
        sql = "SELECT * FROM {dataset}.scoring_runs WHERE score_date IN UNNEST(@nights)"
        return sorted(self.query(sql, [day]), key=lambda row: row["recorded_at"])

    def published_rows(self, day: date) -> list[dict[str, Any]]:
        """All predictions of a night, in a fixed order."""
        sql = (
            "SELECT * FROM {dataset}.babyweight_predictions WHERE score_date IN UNNEST(@nights) "
            "ORDER BY source_uri, source_position"
        )
        return self.query(sql, [day])
