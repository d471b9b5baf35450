"""Faults at named points of BigQuery's work, and reads of job states that lag behind."""

from __future__ import annotations

import contextlib
import time
import uuid

import pytest
from google.api_core.exceptions import GoogleAPICallError, ServiceUnavailable
from google.cloud import bigquery
from requests.exceptions import ConnectionError as Lost

from tests.local.cloud.bigquery.conftest import new_client
from tests.support.bigquery_tables import rows_of
from tests.support.local_cloud import LocalCloud


@pytest.mark.parametrize("point", ["bigquery.job.begin", "bigquery.job.commit"])
def test_a_job_whose_server_crashes_at_a_point_is_done_once(
    fresh_cloud: LocalCloud, point: str
) -> None:
    client, job_id = new_client(), uuid.uuid4().hex
    client.create_dataset("d")
    client.query("CREATE TABLE d.t (n INT64)").result()
    fresh_cloud.inject(kind="crash", point=point)
    # The answer may still get out before the job's thread is at the point.
    with contextlib.suppress(GoogleAPICallError, Lost):
        client.query("INSERT d.t VALUES (1)", job_id=job_id, retry=None, job_retry=None)
    assert fresh_cloud.wait() == 137
    fresh_cloud.start()
    assert client.get_job(job_id).result().num_dml_affected_rows == 1
    assert rows_of(client, "SELECT n FROM d.t") == [(1,)]


def test_rows_whose_commit_fails_are_not_there(
    cloud_env: LocalCloud, client: bigquery.Client, dataset: str
) -> None:
    table = client.create_table(
        bigquery.Table(f"{client.project}.{dataset}.t", [bigquery.SchemaField("n", "INTEGER")])
    )
    cloud_env.inject(kind="error", point="bigquery.insert.commit", times=1)
    try:
        with pytest.raises(ServiceUnavailable, match="fault knob"):
            client.insert_rows_json(table, [{"n": 1}], row_ids=["a"], retry=None)
        assert rows_of(client, f"SELECT n FROM {dataset}.t") == []
        assert client.insert_rows_json(table, [{"n": 1}], row_ids=["a"]) == []
    finally:
        cloud_env.heal()
    assert rows_of(client, f"SELECT n FROM {dataset}.t") == [(1,)]


def test_stale_reads_show_jobs_as_they_were_some_seconds_ago(
    cloud_env: LocalCloud, client: bigquery.Client
) -> None:
    job = client.query("SELECT 1", job_id=uuid.uuid4().hex, job_retry=None)
    job.result()

    def listed() -> bool:
        return job.job_id in {each.job_id for each in client.list_jobs(max_results=20)}

    def state() -> str:
        return str(client.get_job(job.job_id, location=job.location).state)

    assert (listed(), state()) == (True, "DONE")
    cloud_env.inject(kind="stale", path="/jobs", method="GET", seconds=3600)
    try:
        assert (listed(), state()) == (False, "PENDING")
        cloud_env.heal()
        cloud_env.inject(kind="stale", path="/jobs", method="GET", seconds=0.5)
        time.sleep(0.6)
        assert (listed(), state()) == (True, "DONE")
    finally:
        cloud_env.heal()
