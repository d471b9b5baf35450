"""A filter by publish date reaches the tables below the views, so that partitions can be left out.

The local BigQuery reads whole tables: what is asked here is the planner of the engine below it.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest
import sqlglot

from nightstream.tables import (
    TableSchema,
    View,
    live_dead_letters_schema,
    live_dead_letters_view,
    live_predictions_schema,
    live_predictions_view,
)
from tests.support.specs import a_service, an_environment

SPEC, ENVIRONMENT = a_service(), an_environment()
TYPES = {
    "STRING": "VARCHAR",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BYTES": "BLOB",
    "TIMESTAMP": "TIMESTAMPTZ",
}
DAY = "2026-01-05"


@pytest.fixture
def engine() -> duckdb.DuckDBPyConnection:
    """Both live tables with a row of the day and one of the day before."""
    connection = duckdb.connect()
    connection.execute(
        f"ATTACH ':memory:' AS \"{ENVIRONMENT.project}\"; "
        f'CREATE SCHEMA "{ENVIRONMENT.project}".{ENVIRONMENT.bigquery.dataset}; '
        f"USE \"{ENVIRONMENT.project}\".{ENVIRONMENT.bigquery.dataset}; SET TimeZone = 'UTC'"
    )
    fill(connection, "weights_predictions_live", live_predictions_schema(SPEC))
    fill(connection, "weights_dead_letters_live", live_dead_letters_schema())
    return connection


def fill(engine: duckdb.DuckDBPyConnection, table: str, schema: TableSchema) -> None:
    columns = ", ".join(f"{column.name} {TYPES[column.type]}" for column in schema.columns)
    engine.execute(f"CREATE TABLE {table} ({columns})")
    engine.execute(
        f"INSERT INTO {table} (request_id, published_at) VALUES ('a', '{DAY} 12:00:00+00'), "
        "('b', '2026-01-04 12:00:00+00')"
    )


def below_the_window(plan: Any) -> list[Any]:
    """The parts of a query plan that are read before requests are ranked."""
    if plan["name"].strip() == "WINDOW":
        return list(plan["children"])
    return [part for child in plan["children"] for part in below_the_window(child)]


@pytest.mark.parametrize(
    ("view", "tables"),
    [
        (live_predictions_view(SPEC, ENVIRONMENT), 1),
        (live_dead_letters_view(SPEC, ENVIRONMENT), 2),
    ],
)
def test_days_are_left_out_before_requests_are_ranked(
    engine: duckdb.DuckDBPyConnection, view: View, tables: int
) -> None:
    asked = f"SELECT * FROM ({view.query}) WHERE publish_date = DATE '{DAY}'"
    [sql] = sqlglot.transpile(asked, "bigquery", "duckdb")

    [plan] = json.loads(engine.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()[0][1])

    assert json.dumps(below_the_window(plan)).count(DAY) == tables
