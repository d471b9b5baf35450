"""Rows in BigQuery's wire format: every scalar is a string, every row `{"f": [{"v": ...}]}`."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from local.cloud.bigquery.schema import Field, Schema

Encoder = Callable[[Any], Any]
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - DATETIME has no zone


def encode_rows(table: pa.Table, schema: Schema, *, int64_timestamps: bool) -> list[dict[str, Any]]:
    """Encodes rows whose columns stand in the schema's order."""
    columns = [
        _encode_column(_plain(column), encoder(field, int64_timestamps=int64_timestamps))
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return [{"f": [{"v": v} for v in row]} for row in zip(*columns, strict=True)]


def encoder(field: Field, *, int64_timestamps: bool) -> Encoder:
    """How one non-null value of the field becomes JSON."""
    if field.mode == "REPEATED":
        inner = encoder(_element(field), int64_timestamps=int64_timestamps)
        return lambda values: [{"v": None if v is None else inner(v)} for v in values]
    if field.type == "RECORD":
        parts = [(f.name, encoder(f, int64_timestamps=int64_timestamps)) for f in field.fields]
        return lambda record: {
            "f": [{"v": _or_null(encode, record[name])} for name, encode in parts]
        }
    if field.type == "TIMESTAMP" and not int64_timestamps:
        return _seconds
    return _ENCODERS[field.type]


def _element(field: Field) -> Field:
    return Field(field.name, field.type, "NULLABLE", field.fields)


def _or_null(encode: Encoder, value: Any) -> Any:
    return None if value is None else encode(value)


def _encode_column(column: pa.ChunkedArray, encode: Encoder) -> list[Any]:
    return [_or_null(encode, value) for value in column.to_pylist()]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants as integer microseconds, wherever they are nested."""
    plain = _plain_type(column.type)
    return column if plain == column.type else column.cast(plain)


def _plain_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(type_):
        return pa.int64()
    if pa.types.is_list(type_):
        return pa.list_(_plain_type(type_.value_type))
    if pa.types.is_struct(type_):
        return pa.struct([pa.field(f.name, _plain_type(f.type)) for f in type_])
    return type_


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _numeric(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds(micros: int) -> str:
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    return f"{sign}{micros // 1_000_000}.{micros % 1_000_000:06d}"


def _datetime(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat()


_ENCODERS: dict[str, Encoder] = {
    "INTEGER": str,
    "FLOAT": _float,
    "BOOLEAN": lambda value: "true" if value else "false",
    "STRING": str,
    "BYTES": lambda value: base64.b64encode(value).decode("ascii"),
    "DATE": lambda value: value.isoformat(),
    "TIME": lambda value: value.isoformat(),
    "DATETIME": _datetime,
    "TIMESTAMP": str,
    "NUMERIC": _numeric,
}
