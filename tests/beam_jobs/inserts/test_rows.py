"""Arrow rows as BigQuery's JSON."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import uuid
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from google.cloud import bigquery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beam_jobs.inserts.client import InsertClient
from beam_jobs.inserts.rows import insert_ids, insert_rows, request_body
from tests.support.bigquery_tables import FIELD

UTC_INSTANT = pa.timestamp("us", "UTC")
FIRST, LAST = datetime.min, datetime.max  # noqa: DTZ901 - bounds of BigQuery's TIMESTAMP too
INSTANTS = st.datetimes(FIRST, LAST).map(lambda moment: moment.replace(tzinfo=UTC, fold=0))
COLUMNS: dict[str, tuple[str, pa.DataType, st.SearchStrategy[Any]]] = {
    "s": ("STRING", pa.string(), st.text(st.characters(codec="utf-8"))),
    "i": ("INTEGER", pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "f": ("FLOAT", pa.float64(), st.floats()),
    "b": ("BOOLEAN", pa.bool_(), st.booleans()),
    "y": ("BYTES", pa.binary(), st.binary()),
    "d": ("DATE", pa.date32(), st.dates()),
    "t": ("TIMESTAMP", UTC_INSTANT, INSTANTS),
}
VALUES = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, _, values) in COLUMNS.items()}),
    min_size=1,
    max_size=8,
)
NUMBERS = itertools.count()


def json_of(value: Any, type_: pa.DataType) -> Any:
    batch = pa.RecordBatch.from_arrays([pa.array([value], type_)], ["x"])
    (row,) = json.loads(request_body(insert_rows(batch, pa.array(["id"]))))["rows"]
    assert row["insertId"] == "id"
    return row["json"]["x"]


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        (2**63 - 1, pa.int64(), "9223372036854775807"),
        (0.1, pa.float64(), 0.1),
        (math.nan, pa.float64(), "NaN"),
        (math.inf, pa.float64(), "Infinity"),
        (-math.inf, pa.float64(), "-Infinity"),
        (True, pa.bool_(), True),
        ('é "\\\n\0', pa.string(), 'é "\\\n\0'),
        (b"\xff\x00", pa.binary(), base64.b64encode(b"\xff\x00").decode()),
        (date(2026, 1, 2), pa.date32(), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, UTC), UTC_INSTANT, "2026-01-02T03:04:05.000006Z"),
        (datetime(1, 1, 1, tzinfo=UTC), UTC_INSTANT, "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_each_type_has_the_form_that_bigquery_reads(
    value: Any, type_: pa.DataType, expected: Any
) -> None:
    assert json_of(value, type_) == expected
    assert json_of(None, type_) is None


def test_an_infinite_value_leaves_its_neighbours_as_they_are() -> None:
    column = pa.array([1.5, math.inf, None])
    rows = insert_rows(pa.RecordBatch.from_arrays([column], ["x"]), pa.array(["a", "b", "c"]))
    assert [row["json"]["x"] for row in rows] == [1.5, "Infinity", None]


def test_an_id_longer_than_128_bytes_is_hashed_and_others_are_kept() -> None:
    long, umlauts = "x" * 129, "ü" * 65
    ids = insert_ids(pa.array(["short", long, umlauts, "y" * 128, None]))
    hashed = [hashlib.sha256(id_.encode()).hexdigest() for id_ in (long, umlauts)]
    assert ids == ["short", *hashed, "y" * 128, None]


@pytest.fixture
def every_type(insert_client: InsertClient) -> bigquery.TableReference:
    """A table with a column of every type, and a number for each insert."""
    dataset = f"d_{uuid.uuid4().hex[:12]}"
    insert_client.create_dataset(dataset)
    schema = [FIELD(name, kind) for name, (kind, _, _) in COLUMNS.items()]
    name = f"{insert_client.project}.{dataset}.t"
    return insert_client.create_table(
        bigquery.Table(name, [*schema, FIELD("insert_number", "INTEGER")])
    ).reference


@given(values=VALUES)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_value_survives_the_way_into_a_table(
    insert_client: InsertClient, every_type: bigquery.TableReference, values: list[dict[str, Any]]
) -> None:
    number = next(NUMBERS)
    columns = [pa.array([row[name] for row in values], COLUMNS[name][1]) for name in COLUMNS]
    columns.append(pa.repeat(pa.scalar(number, pa.int64()), len(values)))
    batch = pa.RecordBatch.from_arrays(columns, [*COLUMNS, "insert_number"])
    rows = insert_rows(batch, pa.array([None] * len(values), pa.string()))
    assert insert_client.insert_encoded(every_type, request_body(rows)) == []
    sql = f"SELECT * EXCEPT (insert_number) FROM `{every_type}` WHERE insert_number = {number}"
    found = [repr([row[name] for name in COLUMNS]) for row in insert_client.query(sql).result()]
    assert sorted(found) == sorted(repr([row[name] for name in COLUMNS]) for row in values)
