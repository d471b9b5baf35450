"""Inserts through kill -9, beside each other, beside slow queries, and through injected faults."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import new_client
from tests.support.bigquery_live import ids, live_table, row
from tests.support.bigquery_tables import SLOW, rows_of
from tests.support.local_cloud import LocalCloud
from tests.support.seeds import seeds

INSERT = "/insertAll$"


@pytest.fixture
def live(client: bigquery.Client, dataset: str) -> str:
    return live_table(client, dataset)


@pytest.fixture
def faulty(cloud_env: LocalCloud) -> Iterator[LocalCloud]:
    yield cloud_env
    cloud_env.heal()


def insert_until_killed(table: str, name: str, acknowledged: list[str]) -> None:
    """Inserts batches of distinct rows, and notes those that the server has acknowledged."""
    client = new_client()
    for batch in range(10_000):
        names = [f"{name}-{batch}-{i}" for i in range(20)]
        try:
            errors = client.insert_rows_json(
                table, [row(n) for n in names], row_ids=names, retry=None
            )
        except Exception:
            return
        assert errors == []
        acknowledged.extend(names)


@pytest.mark.parametrize("seed", seeds(3))
def test_a_killed_server_has_every_acknowledged_row_once(
    fresh_cloud: LocalCloud, seed: int
) -> None:
    client = new_client()
    client.create_dataset("d")
    table = live_table(client, "d")
    acknowledged: list[str] = []
    with ThreadPoolExecutor(3) as pool:
        for name in "xyz":
            pool.submit(insert_until_killed, table, name, acknowledged)
        chance = random.Random(seed)
        wanted = chance.randint(1, 600)
        while len(acknowledged) < wanted:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.02))
        fresh_cloud.kill()
    fresh_cloud.start()
    found = Counter(ids(new_client(), table))
    assert len(acknowledged) >= wanted
    assert found.keys() >= set(acknowledged)
    assert set(found.values()) == {1}
    # Of each client, at most the batch it was not answered for stands there beside these.
    unanswered = found.keys() - set(acknowledged)
    assert len({name.rpartition("-")[0] for name in unanswered}) <= 3
    assert len(unanswered) % 20 == 0
    assert new_client().insert_rows_json(table, [row("after")]) == []


def test_many_clients_insert_at_once(client: bigquery.Client, live: str) -> None:
    def insert(name: int) -> None:
        mine = new_client()
        for batch in range(10):
            names = [f"{name}-{batch}-{i}" for i in range(5)]
            assert mine.insert_rows_json(live, [row(n) for n in names], row_ids=names) == []

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(insert, range(12)))
    found = ids(client, live)
    assert len(found) == len(set(found)) == 600


def test_clients_that_send_the_same_rows_at_once_insert_them_once(
    client: bigquery.Client, live: str
) -> None:
    names = [f"r{i}" for i in range(50)]
    together = threading.Barrier(6)

    def insert(_: int) -> None:
        together.wait()
        assert new_client().insert_rows_json(live, [row(n) for n in names], row_ids=names) == []

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(insert, range(6)))
    assert ids(client, live) == sorted(names)


def test_rows_come_in_while_a_query_reads_the_table(client: bigquery.Client, live: str) -> None:
    client.insert_rows_json(live, [row("a")])
    slow = client.query(f"SELECT n, (SELECT COUNT(*) FROM `{live}`) FROM ({SLOW})")
    try:
        for i in range(5):
            client.insert_rows_json(live, [row(f"b{i}")])
            assert len(ids(client, live)) == 2 + i
        assert not slow.done()
    finally:
        slow.cancel()


def test_rows_come_in_while_dml_rewrites_the_table(client: bigquery.Client, live: str) -> None:
    client.query(
        f"INSERT INTO `{live}` SELECT CAST(x AS STRING), 0, CURRENT_TIMESTAMP() "
        "FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS x"
    ).result()
    update = client.query(f"UPDATE `{live}` SET score = score + 1 WHERE score >= 0 AND id < 'a'")
    for i in range(5):
        assert client.insert_rows_json(live, [row(f"new{i}")]) == []
    update.result()
    counts = rows_of(client, f"SELECT score, COUNT(*) FROM `{live}` GROUP BY 1 ORDER BY 1")
    assert counts == [(0.5, 5), (1.0, 1000)]


def test_tables_of_an_earlier_version_take_rows(fresh_cloud: LocalCloud) -> None:
    client = new_client()
    client.create_dataset("d")
    table = live_table(client, "d")
    client.query(f"INSERT INTO `{table}` VALUES ('old', 1, CURRENT_TIMESTAMP())").result()
    fresh_cloud.stop()
    with duckdb.connect(str(fresh_cloud.data / "bigquery" / "tables.duckdb")) as tables:
        tables.execute(f'ALTER TABLE "{client.project}.d".live DROP COLUMN " inserted"')
    fresh_cloud.start()
    client = new_client()
    assert client.insert_rows_json(table, [row("new")]) == []
    assert ids(client, table) == ["new", "old"]


def test_a_retry_after_a_lost_answer_does_not_double_rows(
    client: bigquery.Client, live: str, faulty: LocalCloud
) -> None:
    faulty.inject(kind="reset", method="POST", path=INSERT, when="after", times=1)
    faulty.inject(kind="error", method="POST", path=INSERT, code=503, times=2)
    assert client.insert_rows_json(live, [row("a"), row("b")], row_ids=["1", "2"]) == []
    assert ids(client, live) == ["a", "b"]


def test_the_service_can_be_unavailable(
    client: bigquery.Client, live: str, faulty: LocalCloud
) -> None:
    faulty.inject(kind="error", path=INSERT, code=503, times=1)
    with pytest.raises(ServiceUnavailable):
        client.insert_rows_json(live, [row("a")], retry=None)
    assert ids(client, live) == []


def test_single_rows_can_be_refused(client: bigquery.Client, live: str, faulty: LocalCloud) -> None:
    faulty.inject(kind="row", path=INSERT, row='"id":"bad|^unlucky', message="no luck", times=2)
    rows = [row("a"), row("bad"), row("b"), row("c")]
    row_ids = ["1", "2", "3", "unlucky"]
    errors = client.insert_rows_json(live, rows, row_ids=row_ids, skip_invalid_rows=True)
    said = {"reason": "invalid", "location": "", "debugInfo": "", "message": "no luck"}
    assert errors == [{"index": 1, "errors": [said]}, {"index": 3, "errors": [said]}]
    assert client.insert_rows_json(live, rows[1:2], row_ids=row_ids[1:2]) == []
    assert ids(client, live) == ["a", "b", "bad"]
