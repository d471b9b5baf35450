"""The row of a DAG run, in the real local BigQuery."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from nightstream.tables import runs_schema
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.local_cloud import PROJECT
from tests.support.night_output import SCORED_AT, score_without_a_job
from tests.support.turns import DagRun


@pytest.fixture
def client(service: Service) -> bigquery.Client:
    client = bigquery.Client(PROJECT, AnonymousCredentials(), location="US")
    client.create_dataset(service.environment.bigquery.dataset)
    return client


def published(service: Service, run_id: str = "one", **output: Any) -> DagRun:
    """A DAG run whose task `publish` is done, or skipped."""
    run = DagRun(run_id)
    work = service.environment.buckets.work
    score_without_a_job(run, service.spec, work, service.objects, **output)
    service.task("audit", run).finish()
    try:
        service.task("publish", run).finish()
    except AirflowSkipException:
        assert ("publish", "return_value") in run.xcoms
    return run


def recorded(client: bigquery.Client, service: Service) -> list[dict[str, Any]]:
    dataset = service.environment.bigquery.dataset
    query = f"SELECT * FROM `{PROJECT}.{dataset}.scoring_runs` ORDER BY run_id"
    return [dict(row) for row in client.query(query).result()]


def test_a_published_run_is_recorded_with_all_there_is_to_know(
    service: Service, client: bigquery.Client
) -> None:
    run = published(service, rows=100, dead=1)
    service.task("record", run).finish()
    [row] = recorded(client, service)
    assert list(row) == [column.name for column in runs_schema().columns]
    assert row["outcome"] == "published"
    assert (row["dag_id"], row["run_id"]) == ("weights_batch", "one")
    assert (row["rows_in"], row["rows_scored"], row["rows_dead"]) == (100, 99, 1)
    assert json.loads(row["dead_by_code"]) == {"wrong_type": 1}
    assert json.loads(row["inputs"]) == [{"generation": 1, "size": 1000, "uri": "gs://input/a.csv"}]
    assert json.loads(row["late_inputs"]) == ["gs://input/late.csv"]
    assert json.loads(row["task_seconds"]) == {"audit": 1.5}
    assert row["partition"].endswith(".weights_predictions$20260105")
    assert (row["sequence"], row["attempt"]) == (1, 1)
    assert (row["model_version"], row["model_kind"]) == ("v1", "sklearn")
    assert row["scored_at"] == SCORED_AT
    assert row["started_at"] == run.start_date
    assert row["published_at"] <= row["recorded_at"]
    loaded = client.get_job(row["predictions_load"], location="US")
    assert loaded.output_rows == 99


def test_a_run_is_one_row_however_often_it_is_recorded(
    service: Service, client: bigquery.Client
) -> None:
    run = published(service)
    jobs = {service.task("record", run, try_number).finish() for try_number in (1, 2, 3)}
    assert len(jobs) == 1
    assert len(recorded(client, service)) == 1


def test_a_cleared_run_replaces_its_row_and_going_back_does_too(
    service: Service, client: bigquery.Client
) -> None:
    run = published(service)
    first = run.start_date
    jobs = []
    for start in (first, datetime(2026, 1, 7, tzinfo=UTC), first):
        run.start_date = start
        jobs.append(service.task("record", run).finish())
        [row] = recorded(client, service)
        assert row["started_at"] == start
    assert len(set(jobs)) == 3


def test_skipped_and_dry_runs_are_recorded_too(service: Service, client: bigquery.Client) -> None:
    runs = [
        published(service, "one"),
        published(service, "two"),
        published(service, "zdry", dry_run=True),
    ]
    for run in runs:
        service.task("record", run).finish()
    outcomes = {
        row["run_id"]: (row["outcome"], row["sequence"]) for row in recorded(client, service)
    }
    assert outcomes == {
        "one": ("published", 1),
        "two": ("skipped_identical", 1),
        "zdry": ("dry_run", None),
    }


def test_one_run_recorded_by_several_at_once_is_one_row(
    service: Service, client: bigquery.Client
) -> None:
    run = published(service)
    threads = []
    for day in (7, 8, 9):
        copy = DagRun(
            run.run_id, xcoms=dict(run.xcoms), start_date=datetime(2026, 1, day, tzinfo=UTC)
        )
        threads.append(threading.Thread(target=service.task("record", copy).finish))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorded(client, service)) == 1


def test_a_recording_whose_answer_was_lost_is_found_by_its_retry(
    service: Service, client: bigquery.Client
) -> None:
    run = published(service)
    service.cloud.inject(
        kind="reset",
        method="POST",
        path=r"/bigquery/v2/projects/[^/]+/jobs$",
        when="after",
        times=1,
    )
    try:
        assert service.task("record", run).finish().endswith("-1")
    finally:
        service.cloud.heal()
    assert len(recorded(client, service)) == 1


def test_a_table_of_an_earlier_release_gains_the_missing_columns(
    service: Service, client: bigquery.Client
) -> None:
    name = f"{PROJECT}.{service.environment.bigquery.dataset}.scoring_runs"
    few = [
        bigquery.SchemaField(name, type_)
        for name, type_ in (("score_date", "DATE"), ("dag_id", "STRING"), ("run_id", "STRING"))
    ]
    table = bigquery.Table(name, schema=few)
    table.time_partitioning = bigquery.TimePartitioning(field="score_date")
    client.create_table(table)
    service.task("record", published(service)).finish()
    [row] = recorded(client, service)
    assert row["outcome"] == "published"
