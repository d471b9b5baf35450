"""The hourly look at live drift, in the real local BigQuery."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk import DAG
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.inserts.client import InsertClient
from beam_jobs.inserts.rows import request_body
from beam_jobs.runs.profiles import LiveProfile, live_profiles_table
from beam_jobs.transforms.live_profiles import insert_row
from nightstream.drift.distances import psi
from nightstream.drift.live import LiveDrift
from nightstream.hooks.bigquery import created_table
from nightstream.operators.watch_drift import WatchDriftOperator
from nightstream.tables import live_profiles_schema, table_id
from tests.plugins.nightstream.operators.conftest import Service, changed
from tests.support.histograms import a_reference
from tests.support.live_profiles import END, LIMITS, a_profile
from tests.support.local_cloud import PROJECT
from tests.support.night_output import describe_model
from tests.support.specs import a_service
from tests.support.turns import DagRun, Task

NORMAL, SHIFTED = (40, 30, 30), (10, 20, 70)


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    path = tmp_path / "alerts"
    path.touch()
    return path


@pytest.fixture
def watched(service: Service, alerts: Path) -> Service:
    """A service with limits for its live requests, and a table of what was counted of them."""
    arguments = {"path": str(alerts), "text": "{{ alert.severity }}: {{ alert.title }}"}
    notifier = {"notifier": "tests.support.notifiers.FileNotifier", "arguments": arguments}
    told = changed(service, airflow={"alerts": [notifier]})
    streaming = {"topic": "requests", "subscription": "requests-sub"}
    watched = replace(told, spec=a_service(drift=LIMITS, streaming=streaming))
    describe_model(f"{watched.models}/v1", a_reference({"weeks": (400, 300, 300)}), told.objects)
    client().create_dataset(watched.environment.bigquery.dataset)
    return watched


def client() -> bigquery.Client:
    return bigquery.Client(PROJECT, AnonymousCredentials(), location="US")


def count(service: Service, *profiles: LiveProfile) -> None:
    """Writes profiles as workers do."""
    name = live_profiles_table(service.spec.service)
    table = table_id(service.environment, name)
    created_table(client(), table, live_profiles_schema())
    reference = bigquery.TableReference.from_string(str(table))
    body = request_body([insert_row(profile) for profile in profiles])
    assert InsertClient(PROJECT).insert_encoded(reference, body) == []


def look(service: Service, hours_later: int = 0) -> LiveDrift:
    """What one hourly run finds."""
    after = END + timedelta(hours=hours_later, minutes=5)
    run = DagRun(f"scheduled__{after:%H}", "weights_drift", run_after=after)
    operator = WatchDriftOperator(
        task_id="watch_drift",
        spec=service.spec,
        environment=service.environment,
        dag=DAG("weights_drift", schedule=None),
    )
    uri = Task(operator, run).finish()
    return LiveDrift.model_validate_json(service.objects.read(uri))


def recorded(service: Service) -> Sequence[Any]:
    table = f"{PROJECT}.{service.environment.bigquery.dataset}.weights_drift_live"
    return list(client().query(f"SELECT * FROM `{table}` ORDER BY window_end").result())


def test_the_last_hours_are_compared_recorded_and_told_of(watched: Service, alerts: Path) -> None:
    count(watched, a_profile((10, 20, 60)), a_profile((0, 0, 10), 20), a_profile(NORMAL, 200))
    drift = look(watched)
    assert (drift.rows, drift.verdict) == (100, "stop")
    [row] = recorded(watched)
    assert (row["window_end"], row["scored"], row["drift_verdict"]) == (END, 100, "stop")
    assert row["drift_psi"] == psi((0, *SHIFTED, 0), (0, 400, 300, 300, 0))
    assert json.loads(row["drift"])["weeks"]["psi_reference"] == row["drift_psi"]
    assert row["drift_uri"].endswith("/weights/drift_live/2026-01-05T12.json")
    assert alerts.read_text() == "error: LIVE DRIFT\n"


def test_the_next_hour_tells_nothing_twice(watched: Service, alerts: Path) -> None:
    count(watched, a_profile(SHIFTED))
    look(watched)
    look(watched, hours_later=1)
    look(watched)
    assert alerts.read_text() == "error: LIVE DRIFT\n" * 2
    assert len(recorded(watched)) == 2


def test_the_same_hours_of_the_days_before_are_the_trailing_baseline(watched: Service) -> None:
    count(watched, a_profile((30, 40, 30), 24 * 60 + 10), a_profile(NORMAL))
    look(watched, hours_later=-24)
    drift = look(watched)
    [before] = [f for f in drift.figures if f.label == "psi_trailing"]
    assert before.value == psi((0, *NORMAL, 0), (0, 30, 40, 30, 0))


def test_a_row_that_stands_twice_counts_once(watched: Service) -> None:
    count(watched, a_profile(NORMAL))
    count(watched, a_profile(NORMAL))
    assert look(watched).rows == 100


def test_hours_without_requests_are_skipped(watched: Service) -> None:
    with pytest.raises(AirflowSkipException):
        look(watched)
    count(watched, a_profile(NORMAL, 500))
    with pytest.raises(AirflowSkipException, match="no request was scored"):
        look(watched)


def test_a_version_that_nobody_describes_is_said_with_the_remedy(watched: Service) -> None:
    count(watched, a_profile(NORMAL, version="v9"))
    with pytest.raises(AirflowFailException, match=r"cannot be measured: .*v9/model\.json"):
        look(watched)
