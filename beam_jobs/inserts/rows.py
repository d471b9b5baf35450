"""Arrow rows as the rows of an insertAll request, a column at a time."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

MAX_INSERT_ID_BYTES = 128

InsertRow = dict[str, Any]
"""{"insertId": …, "json": {column: value}}"""


def insert_rows(batch: pa.RecordBatch, ids: pa.Array) -> list[InsertRow]:
    """The rows with their insert ids, as BigQuery's JSON has them.

    Of several rows with one id that come within about a minute, BigQuery keeps one.
    """
    names = batch.schema.names
    columns = [_json_values(column) for column in batch.columns]
    rows = zip(insert_ids(ids), zip(*columns, strict=True), strict=True)
    return [{"insertId": id_, "json": dict(zip(names, row, strict=True))} for id_, row in rows]


def insert_ids(ids: pa.Array) -> list[str | None]:
    """The ids; those longer than BigQuery takes are replaced by their SHA-256."""
    longest = pc.max(pc.binary_length(ids)).as_py() or 0
    values: list[str | None] = ids.to_pylist()
    return values if longest <= MAX_INSERT_ID_BYTES else [_short(value) for value in values]


def request_body(rows: Sequence[InsertRow]) -> bytes:
    """The body of one insertAll request."""
    return orjson.dumps({"rows": rows})


def _short(id_: str | None) -> str | None:
    data = (id_ or "").encode()
    return hashlib.sha256(data).hexdigest() if len(data) > MAX_INSERT_ID_BYTES else id_


def _json_values(column: pa.Array) -> list[Any]:
    """Strings and booleans as they are; integers and times as text, bytes as base64."""
    type_ = column.type
    if pa.types.is_timestamp(type_):
        return _rfc3339(column).to_pylist()
    if pa.types.is_integer(type_) or pa.types.is_date(type_):
        # JSON readers may take a number for a double, which ends at 2^53.
        return column.cast(pa.string()).to_pylist()
    values: list[Any] = column.to_pylist()
    if pa.types.is_floating(type_) and not pc.all(pc.is_finite(column)).as_py():
        return [_number(value) for value in values]
    if pa.types.is_binary(type_):
        return [None if value is None else base64.b64encode(value).decode() for value in values]
    return values


def _rfc3339(column: pa.Array) -> pa.Array:
    """Arrow writes a timestamp with a zone twelve times slower than the same one without."""
    text = column.cast(pa.timestamp("us")).cast(pa.string())
    date_and_time = pc.replace_substring(text, " ", "T", max_replacements=1)
    return pc.binary_join_element_wise(date_and_time, "Z", "")


def _number(value: float | None) -> float | str | None:
    """JSON has no such numbers; BigQuery takes their names."""
    if value is None or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
