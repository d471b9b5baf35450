"""Rows in the streaming buffer: seen by queries, left alone by DML and partition loads."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import Put, new_client
from tests.support.bigquery_live import LIVE, buffered, ids, live_table, row
from tests.support.bigquery_tables import FIELD, TRUNCATE, parquet_load, partitions_of, rows_of
from tests.support.local_cloud import LocalCloud, ObservedCloud
from tests.support.patience import PATIENCE_S

TODAY = datetime.now(UTC)


@pytest.fixture
def live(client: bigquery.Client, dataset: str) -> str:
    """A table with the row `old` loaded and the rows `a` and `b` inserted."""
    table = live_table(client, dataset)
    settle(client, table, "old")
    client.insert_rows_json(table, [row("a", 1), row("b", 2)])
    return table


def settle(client: bigquery.Client, table: str, id_: str) -> None:
    sql = f"INSERT INTO `{table}` VALUES ('{id_}', 0, CURRENT_TIMESTAMP())"
    client.query(sql).result()


def rows_as_parquet(*names: str) -> pa.Table:
    id_ = pa.field("id", pa.string(), nullable=False)
    at = pa.field("published_at", pa.timestamp("us", "UTC"))
    rows = [{"id": name, "score": 9.0, "published_at": TODAY} for name in names]
    return pa.Table.from_pylist(rows, pa.schema([id_, ("score", pa.float64()), at]))


def test_a_table_tells_what_is_in_its_buffer_and_does_not_count_it(
    client: bigquery.Client, live: str
) -> None:
    found = client.get_table(live)
    assert found.num_rows == 1
    assert found.streaming_buffer.estimated_rows == 2
    assert found.streaming_buffer.estimated_bytes == 2 * (3 + 8 + 8)
    age = datetime.now(UTC) - found.streaming_buffer.oldest_entry_time
    assert 0 <= age.total_seconds() < 60


def test_rows_in_the_buffer_are_in_no_partition_yet(client: bigquery.Client, live: str) -> None:
    assert partitions_of(client, live) == {"__UNPARTITIONED__": 2, f"{datetime.now(UTC):%Y%m%d}": 1}
    listed = client.list_rows(f"{live}${datetime.now(UTC):%Y%m%d}", selected_fields=LIVE)
    assert [found["id"] for found in listed] == ["old"]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("UPDATE {t} SET score = 5 WHERE id = 'a'", "UPDATE or DELETE"),
        ("DELETE FROM {t} WHERE TRUE", "UPDATE or DELETE"),
        (
            "MERGE {t} t USING (SELECT 'a' AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
            "MERGE",
        ),
        ("TRUNCATE TABLE {t}", "TRUNCATE TABLE"),
    ],
)
def test_statements_that_touch_the_buffer_are_refused(
    client: bigquery.Client, live: str, sql: str, kind: str
) -> None:
    message = f"{kind} statement over table .* would affect rows in the streaming buffer"
    with pytest.raises(BadRequest, match=message):
        client.query(sql.format(t=f"`{live}`")).result()
    assert ids(client, live) == ["a", "b", "old"]


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("UPDATE {t} SET id = 'new' WHERE id = 'old'", ["a", "b", "new"]),
        ("DELETE FROM {t} WHERE score < 1", ["a", "b"]),
        (
            "MERGE {t} t USING (SELECT 'a' AS id UNION ALL SELECT 'c') s ON t.id = s.id "
            "WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
            ["a", "b", "c", "old"],
        ),
        ("INSERT INTO {t} SELECT 'c', score, published_at FROM {t} WHERE id = 'a'", list("abc")),
    ],
)
def test_statements_that_leave_the_buffer_alone_are_run(
    client: bigquery.Client, live: str, sql: str, left: list[str]
) -> None:
    client.query(sql.format(t=f"`{live}`")).result()
    assert ids(client, live) == sorted({*left, *(["old"] if "INSERT INTO" in sql else [])})


def test_a_load_into_a_partition_leaves_the_buffer_alone(
    client: bigquery.Client, live: str, put: Put
) -> None:
    uri = put(rows_as_parquet("x"))
    client.load_table_from_uri(uri, f"{live}${TODAY:%Y%m%d}", job_config=TRUNCATE).result()
    assert ids(client, live) == ["a", "b", "x"]


def test_a_truncating_load_takes_the_buffer_with_it(
    client: bigquery.Client, live: str, put: Put
) -> None:
    client.load_table_from_uri(put(rows_as_parquet("x")), live, job_config=TRUNCATE).result()
    assert ids(client, live) == ["x"]
    assert buffered(client, live) == 0


def test_an_appending_load_goes_beside_the_buffer(
    client: bigquery.Client, live: str, put: Put
) -> None:
    client.load_table_from_uri(put(rows_as_parquet("x")), live, job_config=parquet_load()).result()
    assert ids(client, live) == ["a", "b", "old", "x"]
    assert buffered(client, live) == 2


def test_rows_go_on_being_inserted_when_a_column_is_added(
    client: bigquery.Client, live: str
) -> None:
    table = client.get_table(live)
    table.schema = [*LIVE, FIELD("more", "INTEGER")]
    client.update_table(table, ["schema"])
    assert client.insert_rows_json(live, [{**row("c"), "more": 3}]) == []
    found = rows_of(client, f"SELECT id, more FROM `{live}` ORDER BY id")
    assert found == [("a", None), ("b", None), ("c", 3), ("old", None)]


def test_another_table_of_the_same_name_has_seen_no_insert_ids(
    client: bigquery.Client, live: str
) -> None:
    client.insert_rows_json(live, [row("c")], row_ids=["1"])
    client.delete_table(live)
    live_table(client, live.split(".")[1])
    client.insert_rows_json(live, [row("d")], row_ids=["1"])
    assert ids(client, live) == ["d"]


def test_no_client_sees_when_a_row_came(
    client: bigquery.Client, live: str, cloud_env: LocalCloud
) -> None:
    assert client.get_table(live).schema == LIVE
    assert [f.name for f in client.query(f"SELECT * FROM `{live}`").result().schema] == [
        field.name for field in LIVE
    ]
    columns = f"SELECT column_name FROM {live.rpartition('.')[0]}.INFORMATION_SCHEMA.COLUMNS"
    assert rows_of(client, columns) == [(field.name,) for field in LIVE]
    page = f"{cloud_env.url}/console/tables/{live.replace('.', '/')}"
    with urllib.request.urlopen(page) as answer:
        shown = answer.read().decode()
    assert "streaming buffer" in shown
    assert "inserted" not in shown


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """A client of a server whose rows leave the buffer after a second."""
    cloud = ObservedCloud(tmp_path / "cloud", ("--streaming-buffer", "1")).start()
    cloud.point_clients_here(monkeypatch)
    yield new_client()
    cloud.end()


def test_rows_leave_the_buffer_after_the_time_the_server_was_told(quick: bigquery.Client) -> None:
    quick.create_dataset("d")
    table = live_table(quick, "d")
    quick.insert_rows_json(table, [row("a"), row("b")])
    assert quick.get_table(table).num_rows == 0
    deadline = time.monotonic() + PATIENCE_S
    while buffered(quick, table):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert quick.get_table(table).num_rows == 2
    quick.query(f"UPDATE `{table}` SET score = 7 WHERE id = 'a'").result()
    assert rows_of(quick, f"SELECT score FROM `{table}` WHERE id = 'a'") == [(7.0,)]
    assert partitions_of(quick, table) == {f"{datetime.now(UTC):%Y%m%d}": 2}
