"""Load jobs from Avro files."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import Put
from tests.support.bigquery_tables import FIELD, rows_of

LONG, TEXT = ["null", "long"], ["null", "string"]


def avro(rows: list[dict[str, Any]], **types: Any) -> bytes:
    """An Avro file of one record type."""
    fields = [{"name": name, "type": type_} for name, type_ in types.items()]
    file = io.BytesIO()
    fastavro.writer(file, {"type": "record", "name": "Root", "fields": fields}, rows)
    return file.getvalue()


def load(client: bigquery.Client, uri: str, table: str, **options: Any) -> None:
    options.setdefault("use_avro_logical_types", True)
    config = bigquery.LoadJobConfig(source_format="AVRO", **options)
    client.load_table_from_uri(uri, table, job_config=config).result()


def test_the_table_gets_the_files_schema(client: bigquery.Client, dataset: str, put: Put) -> None:
    row = {
        "id": 1, "f": 1.5, "b": True, "s": "a", "raw": b"\x00", "d": date(2024, 1, 2),
        "t": time(1, 2, 3), "ts": datetime(2024, 1, 2, 3, 4, 5, 6, UTC), "m": Decimal("1.25"),
        "dt": "2024-01-02T03:04:05", "ns": [1, 2], "r": {"x": "y"},
    }  # fmt: skip
    inner = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "string"}]}
    file = avro(
        [row],
        id="long",
        f=["null", "double"],
        b=["null", "boolean"],
        s=TEXT,
        raw=["null", "bytes"],
        d=["null", {"type": "int", "logicalType": "date"}],
        t=["null", {"type": "long", "logicalType": "time-micros"}],
        ts=["null", {"type": "long", "logicalType": "timestamp-micros"}],
        m=["null", {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}],
        dt=["null", {"type": "string", "logicalType": "datetime"}],
        ns={"type": "array", "items": "long"},
        r=["null", inner],
    )
    load(client, put(file), f"{dataset}.t")
    found = {f.name: (f.field_type, f.mode) for f in client.get_table(f"{dataset}.t").schema}
    assert found["id"] == ("INTEGER", "REQUIRED")
    assert (found["ns"], found["r"]) == (("INTEGER", "REPEATED"), ("RECORD", "NULLABLE"))
    assert [found[name][0] for name in ("d", "t", "ts", "m", "dt")] == [
        "DATE", "TIME", "TIMESTAMP", "NUMERIC", "DATETIME",
    ]  # fmt: skip
    [values] = rows_of(client, f"SELECT * FROM {dataset}.t")
    assert values == tuple({**row, "dt": datetime.fromisoformat("2024-01-02 03:04:05")}.values())


def test_columns_go_by_name_and_files_may_lack_some(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    first = put(avro([{"a": 1, "b": "x"}], a=LONG, b=TEXT), "two/1.avro")
    put(avro([{"b": "y"}], b=TEXT), "two/2.avro")
    load(client, first.replace("1.avro", "*"), f"{dataset}.t")
    assert rows_of(client, f"SELECT a, b FROM {dataset}.t ORDER BY b") == [(1, "x"), (None, "y")]
    load(client, put(avro([{"b": "z", "a": 3}], b=TEXT, a=LONG)), f"{dataset}.t")
    assert rows_of(client, f"SELECT SUM(a), MAX(b) FROM {dataset}.t") == [(4, "z")]


def test_what_does_not_fit_is_refused(client: bigquery.Client, dataset: str, put: Put) -> None:
    schema = [FIELD("a", "STRING")]
    numbers = put(avro([{"a": 1}], a=LONG))
    with pytest.raises(BadRequest, match="has type INTEGER which does not match the target type"):
        load(client, numbers, f"{dataset}.t", schema=schema)
    with pytest.raises(BadRequest, match="library failed to read data"):
        load(client, put("a,b"), f"{dataset}.t")
    days = put(avro([], a={"type": "int", "logicalType": "date"}))
    with pytest.raises(GoogleAPICallError, match="without useAvroLogicalTypes"):
        load(client, days, f"{dataset}.t", use_avro_logical_types=False)
    with pytest.raises(GoogleAPICallError, match="Avro unions of several types"):
        load(client, put(avro([], a=["long", "string"])), f"{dataset}.t")
