"""kill -9, and readers beside writers: nothing acknowledged is lost, nothing is half-written."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import Put, new_client, put_in
from tests.support.bigquery_tables import (
    SLOW,
    TRUNCATE,
    night,
    nights_table,
    partitions_of,
    rows_of,
)
from tests.support.local_cloud import LocalCloud
from tests.support.seeds import seeds

DAY, OTHER = date(2024, 1, 1), date(2024, 1, 2)


@contextmanager
def reading(dataset: str) -> Iterator[list[tuple[object, ...]]]:
    """Keeps asking what the first day holds; collects the distinct answers."""
    answers: list[tuple[object, ...]] = []
    stop = threading.Event()
    sql = (
        f"SELECT COUNT(*), MIN(score), MAX(score) FROM {dataset}.nights "
        "WHERE score_date = '2024-01-01'"
    )

    def read() -> None:
        client = new_client()
        while not stop.is_set():
            answers.extend(rows_of(client, sql))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_readers_see_all_of_the_old_night_or_all_of_the_new(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    for day, rows in ((DAY, 1000), (OTHER, 7)):
        uri = put(night(day, rows, 1.0 if day == DAY else 0.5))
        client.load_table_from_uri(uri, f"{table}${day:%Y%m%d}", job_config=TRUNCATE).result()
    versions = {1: 1000}
    with reading(dataset) as answers:
        for version in range(2, 7):
            versions[version] = 1000 + version
            uri = put(night(DAY, versions[version], float(version)))
            client.load_table_from_uri(uri, f"{table}$20240101", job_config=TRUNCATE).result()
    seen = set(answers)
    assert seen <= {(rows, float(v), float(v)) for v, rows in versions.items()}
    assert len(seen) > 1
    assert partitions_of(client, table) == {"20240101": versions[6], "20240102": 7}


def test_loads_into_many_partitions_at_once(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    days = [date(2024, 1, day) for day in range(1, 13)]
    jobs = [
        client.load_table_from_uri(
            put(night(day, day.day)), f"{table}${day:%Y%m%d}", job_config=TRUNCATE
        )
        for day in days
    ]
    for job in jobs:
        job.result()
    assert partitions_of(client, table) == {f"{day:%Y%m%d}": day.day for day in days}


@pytest.mark.parametrize("seed", seeds(3))
def test_a_killed_server_keeps_what_it_acknowledged_and_runs_the_rest_once(
    fresh_cloud: LocalCloud, seed: int
) -> None:
    """Loads of distinct rows are submitted until kill -9; each is in the table once or never."""
    client, dataset = new_client(), "d"
    fresh_cloud.call("POST", "/storage/v1/b", {"name": "loads"})
    client.create_dataset(dataset)
    table = nights_table(client, dataset)
    put = put_in("loads")
    config = bigquery.LoadJobConfig(source_format="PARQUET")
    uris = [put(night(DAY, 20_000, float(i))) for i in range(6)]
    pause = random.Random(seed).uniform(0.0, 0.25)
    accepted = []
    for i, uri in enumerate(uris):
        client.load_table_from_uri(uri, table, job_id=f"load-{i}", job_config=config)
        accepted.append(i)
    time.sleep(pause)
    fresh_cloud.kill()
    fresh_cloud.start()
    client = new_client()
    for i in accepted:
        assert client.get_job(f"load-{i}").result(timeout=60).state == "DONE"
        with pytest.raises(Conflict):
            client.load_table_from_uri(uris[i], table, job_id=f"load-{i}", job_config=config)
    counts = rows_of(client, f"SELECT score, COUNT(*) FROM {dataset}.nights GROUP BY 1 ORDER BY 1")
    assert counts == [(float(i), 20_000) for i in accepted]


def test_everything_is_still_there_after_a_kill(fresh_cloud: LocalCloud) -> None:
    client = new_client()
    fresh_cloud.call("POST", "/storage/v1/b", {"name": "loads"})
    client.create_dataset("d")
    table = nights_table(client, "d")
    put = put_in("loads")
    client.load_table_from_uri(
        put(night(DAY, 3)), f"{table}$20240101", job_id="done", job_config=TRUNCATE
    ).result()
    with pytest.raises(NotFound):
        client.load_table_from_uri(
            "gs://none/x", table, job_id="failed", job_config=TRUNCATE
        ).result()
    query = client.query("SELECT key FROM d.nights ORDER BY key")
    query.result()
    fresh_cloud.kill()
    fresh_cloud.start()
    client = new_client()
    assert client.get_job("done").output_rows == 3
    assert client.get_job("failed").error_result["reason"] == "notFound"
    assert [row["key"] for row in client.get_job(query.job_id).result()] == ["k0", "k1", "k2"]
    found = client.get_table(table)
    assert (found.num_rows, found.time_partitioning.field) == (3, "score_date")
    with pytest.raises(Conflict):
        client.load_table_from_uri("gs://none/x", table, job_id="failed", job_config=TRUNCATE)


def test_a_job_that_the_server_dies_on_twice_is_given_up(fresh_cloud: LocalCloud) -> None:
    client = new_client()
    client.query(SLOW, job_id="slow", job_retry=None)
    for _ in range(2):
        fresh_cloud.kill()
        fresh_cloud.start()
    with pytest.raises(GoogleAPICallError, match="stopped twice"):
        new_client().get_job("slow").result(retry=None)
