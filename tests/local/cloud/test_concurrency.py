"""Many clients at once: none waits for another's slow call, and a race has one outcome."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from tests.support.bigquery_tables import SLOW
from tests.support.dataflow_cloud import LOCATION, DataflowCloud
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.patience import PATIENCE_S

CLIENTS = 50


@pytest.fixture
def query_client(cloud_env: LocalCloud) -> bigquery.Client:
    return bigquery.Client(cloud_env.env["GOOGLE_CLOUD_PROJECT"], AnonymousCredentials())


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:12]}"


def test_fifty_clients_of_every_api_are_served_beside_a_slow_query(
    cloud_env: LocalCloud, bucket: str, query_client: bigquery.Client
) -> None:
    dataflow = DataflowCloud(cloud_env)

    def work(number: int) -> int:
        blob = storage.Client(PROJECT, AnonymousCredentials()).bucket(bucket).blob(f"{number}")
        blob.upload_from_string(f"{number}", if_generation_match=0)
        client = bigquery.Client(PROJECT, AnonymousCredentials())
        [[answer]] = client.query(f"SELECT {blob.download_as_text()} + 1").result()
        found = dataflow.jobs.list(projectId=PROJECT, location=LOCATION).execute()
        assert isinstance(found.get("jobs", []), list)
        return int(answer)

    slow = query_client.query(SLOW)
    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            assert list(pool.map(work, range(CLIENTS))) == list(range(1, CLIENTS + 1))
        assert query_client.get_job(slow.job_id, location=slow.location).state == "RUNNING"
    finally:
        slow.cancel()
    names = {blob.name for blob in storage.Client(PROJECT).list_blobs(bucket)}
    assert names == {str(number) for number in range(CLIENTS)}


def test_uploads_that_hang_hold_up_nobody(cloud_env: LocalCloud, bucket: str) -> None:
    address = urlsplit(cloud_env.url)
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=hanging"
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 9000000\r\n\r\n"
    hanging = []
    for _ in range(200):
        connection = socket.create_connection((address.hostname, address.port))
        connection.sendall(head.encode() + b"x" * 100_000)
        hanging.append(connection)
    begun = time.monotonic()
    whole = storage.Client(PROJECT, AnonymousCredentials()).bucket(bucket)
    whole.blob("whole").upload_from_string("y")
    assert whole.blob("whole").download_as_text() == "y"
    assert not whole.blob("hanging").exists()
    assert time.monotonic() - begun < PATIENCE_S
    for connection in hanging:
        connection.close()


def outcomes(attempt: Callable[[], Any]) -> list[Any]:
    """What twenty attempts at the same time came to; None for those told of a conflict."""

    def one(_: int) -> Any:
        try:
            return attempt()
        except exceptions.Conflict:
            return None

    with ThreadPoolExecutor(20) as pool:
        return [outcome for outcome in pool.map(one, range(20)) if outcome is not None]


def test_of_twenty_buckets_and_datasets_of_one_name_one_is_made(
    query_client: bigquery.Client, cloud_env: LocalCloud
) -> None:
    client = storage.Client(cloud_env.env["GOOGLE_CLOUD_PROJECT"])
    bucket, dataset = unique("race"), unique("race").replace("-", "_")
    assert len(outcomes(lambda: client.create_bucket(bucket))) == 1
    assert len(outcomes(lambda: query_client.create_dataset(dataset, retry=None))) == 1


def test_twenty_creations_of_one_job_name_find_one_job(cloud_env: LocalCloud) -> None:
    dataflow = DataflowCloud(cloud_env)
    cloud_env.inject(kind="hang", path="stuck/o/pipeline.pb", method="GET")
    name = unique("one")
    try:
        found = {job["id"] for job in outcomes(lambda: dataflow.create(name))}
        listed = dataflow.jobs.list(projectId=PROJECT, location=LOCATION, name=name).execute()
        assert found == {job["id"] for job in listed["jobs"]}
        assert len(found) == 1
        dataflow.cancel(found.pop())
    finally:
        cloud_env.heal()
