"""tabledata.insertAll through google-cloud-bigquery: rows, problems, duplicates, limits."""

from __future__ import annotations

import gzip
import json
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound
from google.cloud import bigquery

from tests.support.bigquery_live import ids, live_table, row
from tests.support.bigquery_tables import rows_of
from tests.support.local_cloud import LocalCloud


@pytest.fixture
def live(client: bigquery.Client, dataset: str) -> str:
    return live_table(client, dataset)


def test_inserted_rows_are_seen_by_the_next_query(client: bigquery.Client, live: str) -> None:
    now = datetime.now(UTC)
    assert client.insert_rows_json(live, [row("a", 1.5, now), row("b", at=now)]) == []
    found = rows_of(client, f"SELECT id, score, published_at FROM `{live}` ORDER BY id")
    assert found == [("a", 1.5, now), ("b", 0.5, now)]
    assert [r["id"] for r in client.list_rows(live)] == ["a", "b"]


def test_a_row_with_an_insert_id_seen_within_the_minute_is_not_inserted_again(
    client: bigquery.Client, live: str
) -> None:
    client.insert_rows_json(live, [row("a"), row("b"), row("again")], row_ids=["1", "2", "1"])
    client.insert_rows_json(live, [row("b"), row("c")], row_ids=["2", "3"])
    assert ids(client, live) == ["a", "b", "c"]


def test_rows_without_insert_ids_are_all_inserted(client: bigquery.Client, live: str) -> None:
    for _ in range(2):
        client.insert_rows_json(live, [row("a"), row("a")], row_ids=[None, None])
    assert ids(client, live) == ["a"] * 4


def test_one_bad_row_stops_the_others(client: bigquery.Client, live: str) -> None:
    errors = client.insert_rows_json(live, [row("a"), {**row("b"), "score": "much"}])
    stopped = {"reason": "stopped", "location": "", "debugInfo": "", "message": ""}
    message = "Cannot convert value to floating point (bad value): much"
    bad = {"reason": "invalid", "location": "score", "debugInfo": "", "message": message}
    assert errors == [{"index": 0, "errors": [stopped]}, {"index": 1, "errors": [bad]}]
    assert ids(client, live) == []


def test_bad_rows_can_be_skipped(client: bigquery.Client, live: str) -> None:
    rows = [row("a"), {**row("b"), "more": 1}, row("c"), {"score": 1.0}]
    errors = client.insert_rows_json(live, rows, skip_invalid_rows=True)
    assert [(e["index"], e["errors"][0]["message"]) for e in errors] == [
        (1, "no such field: more."),
        (3, "Missing required field: id."),
    ]
    assert ids(client, live) == ["a", "c"]


def test_unknown_values_can_be_ignored(client: bigquery.Client, live: str) -> None:
    rows = [{**row("a"), "more": 1}]
    assert client.insert_rows_json(live, rows, ignore_unknown_values=True) == []
    assert ids(client, live) == ["a"]


def test_field_names_are_case_insensitive(client: bigquery.Client, live: str) -> None:
    assert client.insert_rows_json(live, [{"ID": "a", "Score": 2}]) == []
    assert rows_of(client, f"SELECT id, score FROM `{live}`") == [("a", 2.0)]


@pytest.mark.parametrize("days", [-1826, 367])
def test_rows_far_from_today_are_refused(client: bigquery.Client, live: str, days: int) -> None:
    at = datetime.now(UTC) + timedelta(days=days)
    [error] = client.insert_rows_json(live, [row("a", at=at)])
    assert "is outside the allowed bounds" in error["errors"][0]["message"]
    near = datetime.now(UTC) + timedelta(days=days - (1 if days > 0 else -1))
    assert client.insert_rows_json(live, [row("b", at=near)]) == []
    assert ids(client, live) == ["b"]


def test_a_partition_of_a_column_partitioned_table_takes_no_rows(
    client: bigquery.Client, live: str
) -> None:
    with pytest.raises(BadRequest, match="Streaming to metadata partition"):
        client.insert_rows_json(f"{live}$20240101", [row("a")])


def test_a_missing_table_is_not_found(client: bigquery.Client, dataset: str) -> None:
    with pytest.raises(NotFound, match="Not found: Table"):
        client.insert_rows_json(f"{client.project}.{dataset}.none", [row("a")], retry=None)


def test_a_view_takes_no_rows(client: bigquery.Client, dataset: str) -> None:
    client.query(f"CREATE VIEW {dataset}.v AS SELECT 1 AS x").result()
    with pytest.raises(BadRequest, match="VIEW"):
        client.insert_rows_json(f"{client.project}.{dataset}.v", [{"x": 1}])


def test_too_many_rows_or_bytes_are_refused(client: bigquery.Client, live: str) -> None:
    with pytest.raises(BadRequest, match="limit: 50000 row count: 50001"):
        client.insert_rows_json(live, [{}] * 50_001, row_ids=[None] * 50_001)
    with pytest.raises(BadRequest, match="Request payload size exceeds the limit"):
        client.insert_rows_json(live, [row("x" * 11_000_000)])
    with pytest.raises(GoogleAPICallError) as caught:
        client.insert_rows_json(live, [row("x" * 53_000_000)])
    assert caught.value.code == 413
    with pytest.raises(BadRequest, match="No rows present"):
        client.insert_rows_json(live, [])


def test_template_suffixes_are_refused_by_name(client: bigquery.Client, live: str) -> None:
    with pytest.raises(GoogleAPICallError, match="templateSuffix") as caught:
        client.insert_rows_json(live, [row("a")], template_suffix="x", retry=None)
    assert caught.value.code == 501


def test_bodies_may_be_gzipped(client: bigquery.Client, live: str, cloud_env: LocalCloud) -> None:
    project, dataset, table = live.split(".")
    path = f"/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}/insertAll"
    body = gzip.compress(json.dumps({"rows": [{"json": row("a")}]}).encode())
    request = urllib.request.Request(cloud_env.url + path, body, {"Content-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer) == {"kind": "bigquery#tableDataInsertAllResponse"}
    assert ids(client, live) == ["a"]
