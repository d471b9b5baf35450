"""Jobs: ids used once, states, cancelling, locations, requests that come twice."""

from __future__ import annotations

import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import Put
from tests.support.bigquery_tables import SLOW, TRUNCATE, night, nights_table, parquet_load, rows_of
from tests.support.dataflow_cloud import eventually
from tests.support.local_cloud import LocalCloud


def new_id() -> str:
    return f"job_{uuid.uuid4().hex}"


def test_a_job_id_is_used_once_whether_the_job_is_done_or_failed(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    uri = put(night(date(2024, 1, 1), 1))
    done, failed = new_id(), new_id()
    client.load_table_from_uri(uri, table, job_id=done, job_config=parquet_load()).result()
    with pytest.raises(NotFound):
        client.load_table_from_uri(
            "gs://none/x", table, job_id=failed, job_config=parquet_load()
        ).result()
    for job_id in (done, failed):
        with pytest.raises(Conflict, match=f"Already Exists: Job {client.project}:US.{job_id}"):
            client.load_table_from_uri(uri, table, job_id=job_id, job_config=parquet_load())
    assert client.get_table(table).num_rows == 1


def test_of_many_who_submit_one_id_exactly_one_wins(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table, job_id = nights_table(client, dataset), new_id()
    uri = put(night(date(2024, 1, 1), 1))

    def submit(_: int) -> bool:
        try:
            client.load_table_from_uri(uri, table, job_id=job_id, job_config=parquet_load())
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(submit, range(8))) == 1
    client.get_job(job_id).result()
    assert client.get_table(table).num_rows == 1


def test_a_finished_job_tells_its_times_labels_and_destination(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    config = parquet_load(labels={"service": "babyweight"})
    submitted = client.load_table_from_uri(
        put(night(date(2024, 1, 1), 2)), f"{table}$20240101", job_config=config
    )
    submitted.result()
    job = client.get_job(submitted.job_id)
    assert job.created <= job.started <= job.ended
    assert (job.state, job.error_result, job.location) == ("DONE", None, "US")
    assert job.labels == {"service": "babyweight"}
    assert (job.output_rows, job.input_files) == (2, 1)
    assert job.destination.table_id == "nights$20240101"
    assert job.job_id in [found.job_id for found in client.list_jobs(state_filter="done")]


def test_a_failed_job_keeps_its_reason(client: bigquery.Client, dataset: str) -> None:
    job = client.load_table_from_uri("gs://none/x", f"{dataset}.t", job_config=parquet_load())
    with pytest.raises(NotFound):
        job.result()
    found = client.get_job(job.job_id)
    assert found.state == "DONE"
    assert found.error_result == {"reason": "notFound", "message": "Not found: URI gs://none/x"}
    assert found.errors == [found.error_result]


def test_a_regional_job_is_found_only_with_its_location(client: bigquery.Client, put: Put) -> None:
    dataset = bigquery.Dataset(f"{client.project}.d_{uuid.uuid4().hex[:12]}")
    dataset.location = "europe-west4"
    client.create_dataset(dataset)
    job = client.load_table_from_uri(
        put(night(date(2024, 1, 1), 1)), f"{dataset.dataset_id}.t", job_config=parquet_load()
    )
    job.result()
    assert job.location == "europe-west4"
    assert client.get_job(job.job_id, location="EUROPE-WEST4").state == "DONE"
    for location in (None, "US"):
        with pytest.raises(NotFound, match="Not found: Job"):
            client.get_job(job.job_id, location=location)
    with pytest.raises(NotFound, match="was not found in location US"):
        client.query(f"SELECT 1 FROM {dataset.dataset_id}.t", location="US").result()


def test_a_cancelled_job_writes_nothing_and_its_id_stays_used(
    client: bigquery.Client, dataset: str
) -> None:
    nights_table(client, dataset)
    destination = bigquery.TableReference.from_string(f"{client.project}.{dataset}.counted")
    config = bigquery.QueryJobConfig(destination=destination)
    job = client.query(SLOW, job_config=config, job_id=new_id(), job_retry=None)
    while client.get_job(job.job_id).state == "PENDING":
        time.sleep(0.01)
    assert client.get_job(job.job_id).state == "RUNNING"
    client.cancel_job(job.job_id)
    with pytest.raises(GoogleAPICallError, match="cancelled"):
        job.result(retry=None)
    found = client.get_job(job.job_id)
    assert (found.state, found.error_result["reason"]) == ("DONE", "stopped")
    with pytest.raises(NotFound):
        client.get_table(destination)
    with pytest.raises(Conflict):
        client.query("SELECT 1", job_id=job.job_id, job_retry=None)


def test_other_requests_go_on_while_a_slow_query_runs(
    client: bigquery.Client, dataset: str
) -> None:
    slow = client.query(SLOW)
    try:
        nights_table(client, dataset)
        assert rows_of(client, f"SELECT COUNT(*) FROM {dataset}.nights") == [(0,)]
        assert client.get_job(slow.job_id).state == "RUNNING"
    finally:
        client.cancel_job(slow.job_id)


def test_a_query_sent_twice_under_one_request_id_runs_once(
    cloud_env: LocalCloud, client: bigquery.Client, dataset: str
) -> None:
    nights_table(client, dataset)
    body = {
        "query": f"INSERT INTO {dataset}.nights (key) VALUES ('a')",
        "useLegacySql": False,
        "requestId": uuid.uuid4().hex,
    }
    path = f"/bigquery/v2/projects/{client.project}/queries"
    answers = [cloud_env.call("POST", path, body) for _ in range(2)]
    assert answers[0]["jobReference"] == answers[1]["jobReference"]
    assert rows_of(client, f"SELECT COUNT(*) FROM {dataset}.nights") == [(1,)]


def test_a_deleted_job_is_gone_and_its_id_stays_used(client: bigquery.Client) -> None:
    job = client.query("SELECT 1")
    job.result()
    client.delete_job_metadata(job)
    with pytest.raises(NotFound):
        client.get_job(job.job_id)
    with pytest.raises(Conflict):
        client.query("SELECT 1", job_id=job.job_id, job_retry=None)


def test_a_job_that_could_never_run_does_not_use_up_its_id(
    client: bigquery.Client, dataset: str
) -> None:
    job_id = new_id()
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_NONSENSE")
    with pytest.raises(BadRequest, match="writeDisposition"):
        client.load_table_from_uri("gs://a/b", f"{dataset}.t", job_id=job_id, job_config=config)
    assert next(
        iter(client.query("SELECT 1", job_id=job_id, job_retry=None).result())
    ).values() == (1,)


def test_a_page_for_people_shows_schema_partitions_and_rows(
    cloud_env: LocalCloud, client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    rows = night(date(2024, 1, 1), 30)
    client.load_table_from_uri(put(rows), f"{table}$20240101", job_config=TRUNCATE).result()
    url = f"{cloud_env.url}/console/tables/{client.project}/{dataset}/nights"
    with urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
    assert "<td>20240101</td><td>30</td>" in page
    assert "<td>score</td><td>FLOAT64</td>" in page
    assert "First 20 rows" in page


def test_sixteen_jobs_run_at_once_and_the_others_wait(client: bigquery.Client) -> None:
    label = {"many": uuid.uuid4().hex[:12]}
    config = bigquery.QueryJobConfig(labels=label)

    def states() -> list[str]:
        listed = client.list_jobs(max_results=100)
        return sorted(job.state for job in listed if job.labels == label)

    with ThreadPoolExecutor(17) as pool:
        jobs = list(pool.map(lambda _: client.query(SLOW, job_config=config), range(17)))
        try:
            eventually(lambda: states() == ["PENDING"] + ["RUNNING"] * 16)
        finally:
            assert all(pool.map(lambda job: job.cancel(), jobs))
