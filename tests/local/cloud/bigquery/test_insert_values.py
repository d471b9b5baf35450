"""Inserted values of every type, as clients and Beam write them, and those that do not fit."""

from __future__ import annotations

import base64
import math
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from google.cloud import bigquery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.cloud.bigquery import schema
from local.cloud.bigquery.streaming.columns import Problems, build
from tests.support.bigquery_tables import FIELD

INNER = [FIELD("x", "FLOAT"), FIELD("w", "STRING")]
COLUMNS = [
    FIELD("i", "INTEGER"),
    FIELD("f", "FLOAT"),
    FIELD("b", "BOOLEAN"),
    FIELD("s", "STRING"),
    FIELD("y", "BYTES"),
    FIELD("d", "DATE"),
    FIELD("t", "TIME"),
    FIELD("dt", "DATETIME"),
    FIELD("ts", "TIMESTAMP"),
    FIELD("n", "NUMERIC"),
    FIELD("a", "INTEGER", "REPEATED"),
    FIELD("r", "RECORD", fields=INNER),
    FIELD("rr", "RECORD", "REPEATED", fields=INNER),
]
INTEGERS = st.integers(-(2**63), 2**63 - 1)
# Python writes earlier years with fewer than four digits.
FIRST = datetime.fromisoformat("1000-01-01T00:00:00")
LAST = datetime.fromisoformat("9999-12-31T23:59:59.999999")
RECORDS = st.fixed_dictionaries(
    {"x": st.none() | st.floats(allow_nan=False, allow_infinity=False), "w": st.text("ab\"'\\")}
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "i": INTEGERS,
    "f": st.floats(allow_nan=False, allow_infinity=False),
    "b": st.booleans(),
    "s": st.text(st.characters(codec="utf-8")),
    "y": st.binary(),
    "d": st.dates(),
    "t": st.times(),
    "dt": st.datetimes(FIRST, LAST),
    "ts": st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
    "n": st.decimals(Decimal(-(10**28)), Decimal(10**28), places=9, allow_nan=False),
    "a": st.lists(INTEGERS),
    "r": RECORDS,
    "rr": st.lists(RECORDS, max_size=3),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS)
def test_values_of_every_type_survive_an_insert_and_a_query(
    client: bigquery.Client, dataset: str, rows: list[dict[str, Any]]
) -> None:
    table = f"{client.project}.{dataset}.t_{uuid.uuid4().hex}"
    client.create_table(bigquery.Table(table, schema=COLUMNS))
    for sent in (rows, [{**row, "i": _text(row["i"]), "n": _text(row["n"])} for row in rows]):
        assert client.insert_rows(table, sent, selected_fields=COLUMNS) == []
    found = [dict(row) for row in client.list_rows(table)]
    assert found == [_read(row) for row in (*rows, *rows)]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """BigQuery knows no null array."""
    return {**row, "a": row["a"] or [], "rr": row["rr"] or []}


def column(type_: str, *values: Any, mode: str = "NULLABLE") -> tuple[list[Any], list[str]]:
    """The values as stored, and the messages about those that do not fit."""
    fields = schema.parse({"fields": [{"name": "c", "type": type_, "mode": mode}]})
    problems = Problems()
    rows = [{"c": value} for value in values]
    table = build(fields, rows, problems, ignore_unknown=False)
    said = [problem["message"] for row in problems.by_row.values() for problem in row]
    return table["c"].to_pylist(), said


NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "given_", "stored"),
    [
        ("INTEGER", ["12", " -3 ", 4.0, True, None], [12, -3, 4, None, None]),
        ("INTEGER", [2**63 - 1, -(2**63), "9223372036854775807"], [2**63 - 1, -(2**63), 2**63 - 1]),
        ("FLOAT", ["1.5", "-inf", "Infinity", 3, 2**60], [1.5, -math.inf, math.inf, 3.0, 2.0**60]),
        ("BOOLEAN", ["true", "False", "t", True], [True, False, True, True]),
        ("STRING", [1, 1.5, True, "x", ""], ["1", "1.5", "true", "x", ""]),
        ("BYTES", ["AAEC", "-_8=", ""], [b"\x00\x01\x02", b"\xfb\xff", b""]),
        ("DATE", ["2024-01-01", "2024-1-1"], [date(2024, 1, 1)] * 2),
        ("TIME", ["12:34:56", "1:2:3.5"], [time(12, 34, 56), time(1, 2, 3, 500000)]),
        (
            "DATETIME",
            ["2024-01-01T00:00:00", "2024-01-01 00:00:00.000", "2024-1-1"],
            [NEW_YEAR.replace(tzinfo=None)] * 3,
        ),
        (
            "TIMESTAMP",
            [
                "2024-01-01T00:00:00Z",
                "2024-01-01T01:00:00.000000+01:00",
                "2024-01-01 00:00:00.000000 UTC",
                "2024-01-01 00:00:00",
                "2023-12-31 19:00:00-05",
                "2024-01-01",
                1704067200,
                1704067200.0,
                "1704067200.0",
                "1.7040672e9",
            ],
            [NEW_YEAR] * 10,
        ),
        ("NUMERIC", ["1.5", 2, 0.1, "-0.000000001"], ["1.5", "2", "0.1", "-0.000000001"]),
    ],
)
def test_values_are_read_as_the_service_reads_them(
    type_: str, given_: list[Any], stored: list[Any]
) -> None:
    found, _ = column(type_, *given_)
    if type_ == "NUMERIC":
        stored = [Decimal(text) for text in stored]
    assert found == stored
    assert [column(type_, value)[0][0] for value in given_] == stored


@pytest.mark.parametrize(
    ("type_", "bad", "message"),
    [
        ("INTEGER", "1.5", "Cannot convert value to integer (bad value): 1.5"),
        ("INTEGER", 1.5, "Cannot convert value to integer (bad value): 1.5"),
        ("INTEGER", 2.0**63, "Cannot convert value to integer (bad value): 9.223372036854776e+18"),
        ("FLOAT", "much", "Cannot convert value to floating point (bad value): much"),
        ("FLOAT", "1e999", "Cannot convert value to floating point (bad value): 1e999"),
        ("BOOLEAN", 1, "Cannot convert value to boolean (bad value): 1"),
        ("STRING", {"a": 1}, "This field: c is not a record."),
        ("STRING", ["a"], "Array specified for non-repeated field: c."),
        ("BYTES", "not base64!", "Could not decode base64 string to bytes."),
        ("DATE", "2024-02-30", 'Invalid date: "2024-02-30"'),
        ("TIME", "25:00:00", 'Invalid time string "25:00:00"'),
        ("DATETIME", "2024-01-01T00:00:00Z", 'Invalid datetime string "2024-01-01T00:00:00Z"'),
        (
            "TIMESTAMP",
            "soon",
            "Could not parse 'soon' as a timestamp. Required format is "
            "YYYY-MM-DD HH:MM[:SS[.SSSSSS]]",
        ),
        ("NUMERIC", "0.0000000001", "Invalid NUMERIC value: 0.0000000001"),
    ],
)
def test_values_that_do_not_fit_are_refused_in_the_services_words(
    type_: str, bad: Any, message: str
) -> None:
    assert column(type_, bad) == ([None], [message])


def test_not_a_number_is_written_as_text() -> None:
    [value], said = column("FLOAT", "NaN")
    assert math.isnan(value)
    assert said == []


def test_a_repeated_field_takes_an_array_without_nulls() -> None:
    assert column("INTEGER", [1, "2"], None, [], mode="REPEATED") == ([[1, 2], [], []], [])
    assert column("INTEGER", 1, [None], mode="REPEATED")[1] == [
        "Value has type INT64 but the field c is repeated.",
        "Only optional fields can be set to NULL. Field: c",
    ]


def test_fields_inside_a_record_are_checked(client: bigquery.Client, dataset: str) -> None:
    table = f"{client.project}.{dataset}.t"
    client.create_table(bigquery.Table(table, schema=COLUMNS))
    rows = [{"r": {"x": "much"}}, {"r": {"z": 1}}, {"r": 1}, {"r": {"X": 1, "w": None}}]
    errors = client.insert_rows_json(table, rows, skip_invalid_rows=True)
    assert [(e["index"], e["errors"][0]["location"]) for e in errors] == [
        (0, "r.x"),
        (1, "r.z"),
        (2, "r"),
    ]
    assert [found["r"] for found in client.list_rows(table)] == [{"x": 1.0, "w": None}]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    values=st.lists(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([{}]),
        max_size=4,
    ),
    type_=st.sampled_from([f.field_type for f in COLUMNS if f.field_type != "RECORD"]),
)
def test_any_json_value_is_stored_or_refused(values: list[Any], type_: str) -> None:
    found, said = column(type_, *values)
    nulls = sum(value is None for value in found)
    assert nulls == len(said) + sum(value is None for value in values)
    assert found == [column(type_, value)[0][0] for value in values] or "nan" in str(found)


def test_bytes_come_back_as_they_were_sent(client: bigquery.Client, dataset: str) -> None:
    table = f"{client.project}.{dataset}.t"
    client.create_table(bigquery.Table(table, schema=[FIELD("y", "BYTES")]))
    everything = bytes(range(256))
    client.insert_rows_json(table, [{"y": base64.b64encode(everything).decode()}])
    assert [found["y"] for found in client.list_rows(table)] == [everything]
