"""The report that the audit leaves, whatever it makes of the night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import RunPlan
from nightstream.links import ReportLink
from tests.plugins.nightstream.operators.conftest import NIGHT, Service
from tests.support.histograms import a_reference, numbers
from tests.support.html_page import Page
from tests.support.local_cloud import PROJECT
from tests.support.night_output import score_without_a_job
from tests.support.specs import a_service
from tests.support.turns import DagRun, Task

COUNTED = {"features": {"weeks": numbers((10, 20, 170))}}
REFERENCE = a_reference({"weeks": (400, 300, 300)})


def scored(service: Service, run: DagRun, dead: int = 0, night: date = NIGHT) -> RunPlan:
    """A night of 200 rows, far from its training data."""
    work = service.environment.buckets.work
    return score_without_a_job(
        run,
        service.spec,
        work,
        service.objects,
        rows=200,
        dead=dead,
        night=night,
        reference=REFERENCE,
        counted=COUNTED,
    )


def page_of(service: Service, plan: RunPlan) -> Page:
    uri = RunLayout(plan.root, plan.run_key).attempt(1).report
    return Page(service.objects.read(uri).decode())


def link(task: Task) -> str:
    [button] = task.operator.operator_extra_links
    assert isinstance(button, ReportLink)
    return button.get_link(task.operator, ti_key=None)


def test_a_good_night_has_a_page_that_a_browser_opens_from_the_task(service: Service) -> None:
    run = DagRun()
    plan = scored(service, run, dead=2)
    task = service.task("audit", run)
    task.finish()
    page = page_of(service, plan)
    assert "Passed the audit" in page.text
    assert [row[:2] for row in page.table("reasons")[1:]] == [["wrong_type", "2"]]
    assert "a,none" in page.text
    uri = RunLayout(plan.root, plan.run_key).attempt(1).report
    bucket, name = uri.removeprefix("gs://").split("/", 1)
    found = storage.Client(PROJECT, AnonymousCredentials()).bucket(bucket).get_blob(name)
    assert found.content_type == "text/html; charset=utf-8"
    assert bucket in link(task)
    assert name in link(task)


def test_a_night_that_the_audit_refuses_has_a_page_with_the_findings_and_its_drift(
    service: Service,
) -> None:
    run = DagRun()
    plan = scored(service, run, dead=20)
    missing = f"{RunLayout(plan.root, plan.run_key).attempt(1).dead_letters}/0.parquet"
    service.objects.put(missing, b"no Parquet at all")
    task = service.task("audit", run)
    with pytest.raises(AirflowFailException):
        task.finish()
    page = page_of(service, plan)
    assert "Refused by the audit" in page.text
    assert "20 of 200 rows (10.00%) were not scored" in page.text
    assert f"dead letters: {missing}: " in page.text
    assert [row[0] for row in page.table("figures")[1:]] == ["weeks"]
    assert link(task)


def test_a_night_that_drift_stops_has_a_page(service: Service) -> None:
    limits = {"reference": {"psi": {"stop": 0.25}}, "min_rows": 100}
    service = replace(service, spec=a_service(drift=limits))
    run = DagRun()
    plan = scored(service, run)
    task = service.task("audit", run)
    with pytest.raises(AirflowFailException):
        task.finish()
    assert "Stopped by drift" in page_of(service, plan).text
    assert link(task)


def test_earlier_nights_are_shown_as_far_as_they_can_be_read(service: Service) -> None:
    client = bigquery.Client(PROJECT, AnonymousCredentials(), location="US")
    client.create_dataset(service.environment.bigquery.dataset)
    days = [NIGHT - timedelta(days=back) for back in (3, 2, 1)]
    for day in days:
        run = DagRun(f"night-{day}")
        plan = scored(service, run, night=day)
        service.task("audit", run).finish()
        service.task("publish", run).finish()
        files = RunLayout(plan.root, plan.run_key).attempt(1)
        if day == days[0]:
            service.objects.put(files.drift, b"of another release")
        if day == days[1]:
            service.objects.delete(files.manifest)
    plan = scored(service, run := DagRun())
    service.task("audit", run).finish()
    page = page_of(service, plan)
    assert page.table("rows-by-night")[1:] == [
        [str(days[0]), "200", "0", "v1"],
        [str(days[2]), "200", "0", "v1"],
        [f"{NIGHT} (this one)", "200", "0", "v1"],
    ]
    [_, weeks] = page.table("drift-by-night")
    assert weeks[1] == "-"
    assert weeks[2] == weeks[3]


def test_a_report_that_cannot_be_written_is_an_error_in_the_log_and_no_night_s_end(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.cloud.inject(kind="error", path="/upload/.*", body="report.html", code=403)
    run = DagRun()
    scored(service, run)
    task = service.task("audit", run)
    try:
        assert task.finish()["rows_scored"] == 200
    finally:
        service.cloud.heal()
    assert link(task) == ""
    assert "The night's report could not be written" in capsys.readouterr().out
