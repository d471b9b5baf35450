"""The drift gate of the audit: what is stopped, what is told, what is let through."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import RunPlan
from nightstream.drift.distances import psi
from nightstream.drift.figures import NightDrift, Verdict
from nightstream.publishing.ledgers import ledger_uri
from tests.plugins.nightstream.operators.conftest import NIGHT, Service, changed
from tests.support.histograms import a_reference, numbers
from tests.support.local_cloud import PROJECT
from tests.support.night_output import score_without_a_job
from tests.support.specs import a_service
from tests.support.turns import DagRun

NORMAL, SHIFTED = (40, 30, 30), (10, 20, 70)
REFERENCE = a_reference({"weeks": (400, 300, 300)})
DRIFT = {"reference": {"psi": {"warn": 0.1, "stop": 0.25}}, "min_rows": 100, "trailing_nights": 3}
NOTIFIER = "tests.support.notifiers.FileNotifier"


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    path = tmp_path / "alerts"
    path.touch()
    return path


@pytest.fixture
def gated(service: Service, alerts: Path) -> Service:
    """A service with limits, whose alerts go to a file."""
    text = "{{ alert.severity }}: {{ alert.title }}"
    notifier = {"notifier": NOTIFIER, "arguments": {"path": str(alerts), "text": text}}
    told = changed(service, airflow={"alerts": [notifier]})
    return replace(told, spec=a_service(drift=DRIFT))


def scored(
    service: Service, run: DagRun, ages: tuple[int, int, int], night: date = NIGHT, **more: Any
) -> RunPlan:
    """A night of 100 rows whose feature was counted so."""
    counted = {"features": {"weeks": numbers(ages)}}
    work = service.environment.buckets.work
    return score_without_a_job(
        run,
        service.spec,
        work,
        service.objects,
        rows=100,
        night=night,
        reference=REFERENCE,
        counted=counted,
        **more,
    )


def drift_of(service: Service, plan: RunPlan) -> NightDrift:
    uri = RunLayout(plan.root, plan.run_key).attempt(1).drift
    return NightDrift.model_validate_json(service.objects.read(uri))


def publish(service: Service, ages: tuple[int, int, int], night: date) -> RunPlan:
    """One night through audit and publish."""
    run = DagRun(f"night-{night}")
    plan = scored(service, run, ages, night)
    service.task("audit", run).finish()
    service.task("publish", run).finish()
    return plan


@pytest.fixture
def client(service: Service) -> bigquery.Client:
    client = bigquery.Client(PROJECT, AnonymousCredentials(), location="US")
    client.create_dataset(service.environment.bigquery.dataset)
    return client


def test_a_shifted_night_is_stopped_with_column_measure_value_limit_and_remedy(
    gated: Service, alerts: Path
) -> None:
    run = DagRun()
    plan = scored(gated, run, SHIFTED)
    with pytest.raises(AirflowFailException) as failure:
        gated.task("audit", run).finish()
    message = str(failure.value)
    assert message.startswith("night 2026-01-05 of weights is not published, it is too far from")
    assert "- feature weeks: psi against the training data is 0.7954, stop is above 0.25" in message
    assert "Remedy: mend the input" in message
    assert "allow_drift" in message
    assert ("audit", "return_value") not in run.xcoms
    assert drift_of(gated, plan).verdict is Verdict.STOP
    assert alerts.read_text() == "error: DRIFT STOPPED A NIGHT\n"


def test_an_allowed_night_goes_on_told_and_recorded_with_the_reason(
    gated: Service, alerts: Path, client: bigquery.Client
) -> None:
    run = DagRun()
    scored(gated, run, SHIFTED, drift_allowed="births of 2014, looked at")
    for task in ("audit", "publish", "record"):
        gated.task(task, run).finish()
    assert alerts.read_text() == "warning: DRIFT\n"
    dataset = gated.environment.bigquery.dataset
    [row] = client.query(f"SELECT * FROM `{PROJECT}.{dataset}.scoring_runs`").result()
    assert (row["outcome"], row["drift_verdict"]) == ("published", "stop")
    assert (row["drift_column"], row["drift_allowed"]) == ("weeks", "births of 2014, looked at")
    assert row["drift_psi"] == psi((0, *SHIFTED, 0), (0, 400, 300, 300, 0))
    assert json.loads(row["drift"])["weeks"]["null_rate"] == 0


def test_a_normal_night_goes_on_in_silence(gated: Service, alerts: Path) -> None:
    run = DagRun()
    plan = scored(gated, run, NORMAL)
    gated.task("audit", run).finish()
    assert drift_of(gated, plan).verdict is Verdict.FINE
    assert alerts.read_text() == ""


def test_a_night_is_compared_with_the_published_ones_before_it(
    gated: Service, client: bigquery.Client
) -> None:
    days = [NIGHT - timedelta(days=back) for back in (4, 3, 2, 1)]
    publish(gated, (30, 40, 30), days[0])
    publish(gated, NORMAL, days[1])
    gone = publish(gated, (34, 33, 33), days[2])
    gated.objects.delete(RunLayout(gone.root, gone.run_key).attempt(1).manifest)
    ledger = ledger_uri(gated.environment.buckets.work, gated.spec.service, days[3])
    gated.objects.put(ledger, b'{"format": 9}')
    plan = publish(gated, (36, 32, 32), NIGHT)
    drift = drift_of(gated, plan)
    assert drift.trailing == (days[1],)  # the first is too old, the third gone, the last unreadable
    [before] = [f for f in drift.figures if f.label == "psi_trailing"]
    assert before.value == psi((0, 36, 32, 32, 0), (0, *NORMAL, 0))
    assert client.project == PROJECT
