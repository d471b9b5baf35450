"""Values of every type survive the way from Parquet over a load to a query's answer."""

from __future__ import annotations

import math
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
from google.cloud import bigquery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.cloud.bigquery.conftest import Put
from tests.support.bigquery_tables import parquet_load

FIRST, LAST = (
    datetime.fromisoformat("0001-01-01T00:00:00"),
    datetime.fromisoformat("9999-12-31T23:59:59.999999"),
)
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "i": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "f": (pa.float64(), st.floats()),
    "b": (pa.bool_(), st.booleans()),
    "s": (pa.string(), st.text(st.characters(codec="utf-8"))),
    "y": (pa.binary(), st.binary()),
    "d": (pa.date32(), st.dates()),
    "t": (pa.time64("us"), st.times()),
    "ts": (pa.timestamp("us", "UTC"), st.datetimes(FIRST, LAST, timezones=st.just(UTC))),
    "n": (
        pa.decimal128(38, 9),
        st.decimals(Decimal(-(10**28)), Decimal(10**28), places=9, allow_nan=False),
    ),
    "a": (pa.list_(pa.int64()), st.lists(st.integers(-(2**63), 2**63 - 1))),
    "r": (
        pa.struct([("x", pa.float64()), ("w", pa.string())]),
        st.fixed_dictionaries({"x": st.floats(allow_nan=False), "w": st.text("ab\"'\\")}),
    ),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}),
    max_size=5,
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS)
def test_values_of_every_type_survive_a_parquet_load_and_a_query(
    client: bigquery.Client, dataset: str, put: Put, rows: list[dict[str, Any]]
) -> None:
    schema = pa.schema([(name, type_) for name, (type_, _) in COLUMNS.items()])
    options = bigquery.ParquetOptions()
    options.enable_list_inference = True
    config = parquet_load(parquet_options=options)
    table = f"{dataset}.t_{uuid.uuid4().hex}"
    uri = put(pa.Table.from_pylist(rows, schema))
    client.load_table_from_uri(uri, table, job_config=config).result()
    found = [dict(row) for row in client.query(f"SELECT * FROM {table}").result()]
    assert [comparable(row) for row in found] == [comparable(row) for row in rows]
    listed = [dict(row) for row in client.list_rows(f"{client.project}.{table}")]
    assert [comparable(row) for row in listed] == [comparable(row) for row in rows]


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """NaN equals itself, and BigQuery knows no null array."""
    kept = {name: "NaN" if _is_nan(value) else value for name, value in row.items()}
    return {**kept, "a": kept["a"] or []}


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def test_edges_of_the_types_by_query(client: bigquery.Client) -> None:
    sql = """
        SELECT CAST('inf' AS FLOAT64) AS a, CAST('-inf' AS FLOAT64) AS b, -0.0 AS c,
            TIMESTAMP '0001-01-01 00:00:00+00' AS d,
            TIMESTAMP '9999-12-31 23:59:59.999999+00' AS e,
            DATETIME '1969-12-31 23:59:59.000001' AS f, TIME '23:59:59.999999' AS g,
            -9223372036854775808 AS h
    """
    row = next(iter(client.query_and_wait(sql))).values()
    assert row == (
        math.inf,
        -math.inf,
        -0.0,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        datetime.fromisoformat("1969-12-31T23:59:59.000001"),
        time(23, 59, 59, 999999),
        -(2**63),
    )


def test_timestamps_without_the_integer_format_are_seconds(
    client: bigquery.Client, cloud_env: Any
) -> None:
    body = {"query": "SELECT TIMESTAMP '2024-01-01 00:00:00.25+00' AS t", "useLegacySql": False}
    path = f"/bigquery/v2/projects/{client.project}/queries"
    answer = cloud_env.call("POST", path, body)
    assert float(answer["rows"][0]["f"][0]["v"]) == 1704067200.25
    body["formatOptions"] = {"useInt64Timestamp": True}  # type: ignore[assignment]
    answer = cloud_env.call("POST", path, body)
    assert answer["rows"][0]["f"][0]["v"] == "1704067200250000"
    assert date(2024, 1, 1) == datetime.fromtimestamp(1704067200.25, UTC).date()
