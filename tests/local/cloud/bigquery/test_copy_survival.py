"""Copies and extracts through kill -9: each is done once, and whole."""

from __future__ import annotations

import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date

import pyarrow as pa
import pytest
from google.api_core.exceptions import Conflict
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from google.cloud.bigquery.retry import DEFAULT_RETRY

from tests.local.cloud.bigquery.conftest import new_client, put_in
from tests.support.bigquery_tables import night, nights_table, parquet_load, partitions_of
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.seeds import seeds

ROWS = 20_000
DAYS = [date(2024, 1, day) for day in range(1, 9)]
KINDS = ("copy", "extract")
NO_RETRY = DEFAULT_RETRY.with_predicate(lambda _: False)
CONFIG = bigquery.CopyJobConfig(write_disposition="WRITE_APPEND")


def submit(client: bigquery.Client, table: str, kind: str, day: date) -> None:
    """A copy or an extract of one night, under an id of its own."""
    night_of, job_id = f"{table}${day:%Y%m%d}", f"{kind}-{day.day}"
    if kind == "copy":
        client.copy_table(
            night_of, f"{table}_copy", job_id=job_id, job_config=CONFIG, retry=NO_RETRY
        )
    else:
        uri = f"gs://files/{day:%Y%m%d}-*.csv"
        client.extract_table(night_of, uri, job_id=job_id, retry=NO_RETRY)


def submit_until_killed(table: str, kind: str, acknowledged: list[str]) -> None:
    client = new_client()
    for day in DAYS:
        try:
            submit(client, table, kind, day)
        except Exception:
            return
        acknowledged.append(f"{kind}-{day.day}")


def lines_of(prefix: str) -> list[bytes]:
    """All lines of the extracted objects with a prefix."""
    bucket = storage.Client(PROJECT, credentials=AnonymousCredentials()).bucket("files")
    blobs = bucket.list_blobs(prefix=prefix)
    return [line for blob in blobs for line in blob.download_as_bytes().splitlines()]


@pytest.fixture
def table(fresh_cloud: LocalCloud) -> str:
    """Some nights, and an empty table to copy them to."""
    fresh_cloud.call("POST", "/storage/v1/b", {"name": "files"})
    client = new_client()
    client.create_dataset("d")
    nights_table(client, "d", "nights_copy")
    table = nights_table(client, "d")
    uri = put_in("files")(pa.concat_tables([night(day, ROWS) for day in DAYS]), "in.parquet")
    client.load_table_from_uri(uri, table, job_config=parquet_load()).result()
    return table


@pytest.mark.parametrize("seed", seeds(3))
def test_a_killed_server_does_each_copy_and_each_extract_once(
    fresh_cloud: LocalCloud, table: str, seed: int
) -> None:
    acknowledged: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        for kind in KINDS:
            pool.submit(submit_until_killed, table, kind, acknowledged)
        time.sleep(random.Random(seed).uniform(0.02, 0.3))
        fresh_cloud.kill()
    fresh_cloud.start()
    client = new_client()
    for kind, day in itertools.product(KINDS, DAYS):
        job_id = f"{kind}-{day.day}"
        try:
            submit(client, table, kind, day)
            assert job_id not in acknowledged
        except Conflict:
            pass  # the server has the job, acknowledged or not
        assert client.get_job(job_id).result(timeout=60).state == "DONE"
    assert partitions_of(client, f"{table}_copy") == {f"{day:%Y%m%d}": ROWS for day in DAYS}
    for day in DAYS:
        lines = lines_of(f"{day:%Y%m%d}-")
        assert len(lines) == len(set(lines)) == ROWS + 1, "a header, and each row once"


def test_an_extract_whose_server_dies_just_before_its_success_is_written_again(
    fresh_cloud: LocalCloud, table: str
) -> None:
    fresh_cloud.inject(kind="crash", point="bigquery.job.commit")
    with suppress(Exception):
        submit(new_client(), table, "extract", DAYS[0])
    fresh_cloud.wait()
    fresh_cloud.start()
    assert new_client().get_job("extract-1").result(timeout=60).state == "DONE"
    assert len(set(lines_of("20240101-"))) == len(lines_of("20240101-")) == ROWS + 1
