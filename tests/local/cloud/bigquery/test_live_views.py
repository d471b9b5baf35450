"""Views over streamed tables: one row for each id, and only the partitions that are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import bigquery

from tests.support.bigquery_live import live_table, row
from tests.support.bigquery_tables import rows_of

TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
FIRST_OF_ID = (
    "SELECT * EXCEPT (place) FROM (SELECT *, ROW_NUMBER() OVER "
    "(PARTITION BY id, publish_day ORDER BY published_at, score) AS place "
    "FROM (SELECT *, DATE(published_at) AS publish_day FROM `{t}`)) WHERE place = 1"
)
QUALIFIED = (
    "SELECT *, DATE(published_at) AS publish_day FROM `{t}` WHERE TRUE "
    "QUALIFY ROW_NUMBER() OVER (PARTITION BY id, DATE(published_at) "
    "ORDER BY published_at, score) = 1"
)


@pytest.fixture
def live(client: bigquery.Client, dataset: str) -> str:
    """Ten ids on each of three days, each id twice: the second one later, with another score."""
    table = live_table(client, dataset)
    rows = [
        row(f"r{i}", score=float(later), at=TODAY - timedelta(days=day) + timedelta(seconds=later))
        for day in range(3)
        for later in (1, 0)
        for i in range(10)
    ]
    assert client.insert_rows_json(table, rows) == []
    return table


def create_view(client: bigquery.Client, live: str, query: str) -> str:
    view = bigquery.Table(live.replace(".live", ".live_unique"))
    view.view_query = query.format(t=live)
    client.create_table(view)
    return str(view.reference)


def bytes_of(client: bigquery.Client, sql: str) -> int:
    config = bigquery.QueryJobConfig(dry_run=True)
    return int(client.query(sql, job_config=config).total_bytes_processed)


@pytest.mark.parametrize("query", [FIRST_OF_ID, QUALIFIED])
def test_a_view_keeps_the_first_row_of_each_id_and_day(
    client: bigquery.Client, live: str, query: str
) -> None:
    view = create_view(client, live, query)
    total = f"SELECT COUNT(*), COUNT(DISTINCT id), MAX(score) FROM `{view}`"
    assert rows_of(client, total) == [(30, 10, 0.0)]
    assert rows_of(client, f"{total} WHERE publish_day = '{TODAY:%F}'") == [(10, 10, 0.0)]
    since = f"published_at >= TIMESTAMP_SUB(TIMESTAMP '{TODAY:%F %T}', INTERVAL 1 DAY)"
    assert rows_of(client, f"{total} WHERE {since}") == [(20, 10, 0.0)]


def test_a_view_can_be_replaced_by_a_query(client: bigquery.Client, live: str) -> None:
    view = create_view(client, live, FIRST_OF_ID)
    client.query(f"CREATE OR REPLACE VIEW `{view}` AS {QUALIFIED.format(t=live)}").result()
    assert rows_of(client, f"SELECT COUNT(*) FROM `{view}`") == [(30,)]


@pytest.mark.parametrize(
    "absent",
    [
        "NOT EXISTS (SELECT 1 FROM `{t}` AS l WHERE l.id = d.id AND "
        "DATE(l.published_at) = DATE(d.published_at))",
        "d.id NOT IN (SELECT id FROM `{t}`)",
    ],
)
def test_an_anti_join_leaves_out_what_the_other_table_has(
    client: bigquery.Client, live: str, absent: str
) -> None:
    dead = live_table(client, live.split(".")[1], "dead")
    client.insert_rows_json(dead, [row(f"r{i}", at=TODAY) for i in range(5, 15)])
    sql = f"SELECT d.id FROM `{dead}` AS d WHERE {absent.format(t=live)} ORDER BY id"
    assert rows_of(client, sql) == [("r10",), ("r11",), ("r12",), ("r13",), ("r14",)]


def test_latencies_by_quantile(client: bigquery.Client, live: str) -> None:
    sql = (
        "SELECT APPROX_QUANTILES(TIMESTAMP_DIFF(published_at, TIMESTAMP_TRUNC(published_at, DAY), "
        "MILLISECOND), 100)[OFFSET(95)] AS p95, COUNTIF(score > 0) AS late, "
        f"COUNTIF(DATE(published_at) = '{TODAY:%F}') AS today FROM `{live}`"
    )
    assert rows_of(client, sql) == [((12 * 3600 + 1) * 1000, 30, 20)]


BY_DAY = "publish_day = '{day:%F}'"
ROW_BYTES = 4 + 8 + 8


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        ("TRUE", 3),
        ("score > 100", 3),
        (BY_DAY, 1),
        (f"{BY_DAY} AND score > 100", 1),
        ("publish_day >= DATE_SUB('{day:%F}', INTERVAL 1 DAY)", 2),
    ],
)
def test_a_dry_run_tells_which_partitions_a_view_reads(
    client: bigquery.Client, live: str, condition: str, days: int
) -> None:
    view = create_view(client, live, FIRST_OF_ID)
    sql = f"SELECT * FROM `{view}` WHERE {condition.format(day=TODAY)}"
    assert bytes_of(client, sql) == days * 20 * ROW_BYTES


@pytest.mark.parametrize(
    ("sql", "size"),
    [
        ("SELECT id FROM `{t}`", 60 * 4),
        ("SELECT COUNT(*) FROM `{t}`", 0),
        ("SELECT id FROM `{t}` WHERE DATE(published_at) = '{day:%F}'", 20 * (4 + 8)),
        ("SELECT score FROM `{t}` WHERE published_at >= '{day:%F}'", 20 * 16),
        (
            "SELECT score FROM `{t}` WHERE published_at BETWEEN '2001-01-01' AND '2001-01-02'",
            0,
        ),
        ("SELECT a.score FROM `{t}` AS a JOIN `{t}` AS b ON a.id = b.id", 60 * (4 + 8 + 4)),
    ],
)
def test_a_dry_run_tells_the_bytes_of_the_columns_and_partitions_read(
    client: bigquery.Client, live: str, sql: str, size: Any
) -> None:
    assert bytes_of(client, sql.format(t=live, day=TODAY)) == size
