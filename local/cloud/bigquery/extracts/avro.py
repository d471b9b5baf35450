"""Avro files, with the service's schema: https://cloud.google.com/bigquery/docs/exporting-data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, BinaryIO

import fastavro
import pyarrow as pa

from local.cloud.bigquery.extracts.format import Format
from local.cloud.bigquery.names import literal, quoted
from local.cloud.bigquery.schema import Field, Schema
from local.cloud.http import unsupported

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN: dict[str, Any] = {
    "STRING": "string",
    "BYTES": "bytes",
    "INTEGER": "long",
    "FLOAT": "double",
    "BOOLEAN": "boolean",
    "TIMESTAMP": {"type": "long", "logicalType": "timestamp-micros"},
    "NUMERIC": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
    "DATE": {"type": "string", "sqlType": "DATE"},
    "TIME": {"type": "string", "sqlType": "TIME"},
    "DATETIME": {"type": "string", "sqlType": "DATETIME"},
}
_LOGICAL: dict[str, Any] = {
    **_PLAIN,
    "DATE": {"type": "int", "logicalType": "date"},
    "TIME": {"type": "long", "logicalType": "time-micros"},
    "DATETIME": {"type": "string", "logicalType": "datetime"},
}
_CODECS = {"NONE": "null", "DEFLATE": "deflate"}


def avro(fields: Schema, compression: str, *, logical_types: bool) -> Format:
    """Raises ApiError 501 for column names that Avro does not allow."""
    types = _LOGICAL if logical_types else _PLAIN
    schema = fastavro.parse_schema(_record("Root", "", fields, types))

    def write(file: BinaryIO, batches: Iterable[pa.RecordBatch]) -> None:
        rows = (row for batch in batches for row in batch.to_pylist())
        fastavro.writer(file, schema, rows, codec=_CODECS[compression])

    columns = [
        f"{_value(field, quoted(field.name), logical_types, 0)} AS {quoted(field.name)}"
        for field in fields
    ]
    return Format(columns, "application/octet-stream", write)


def _record(name: str, namespace: str, fields: Schema, types: dict[str, Any]) -> dict[str, Any]:
    inner = f"{namespace}.{name}".strip(".").lower()
    body = {"type": "record", "name": name, "fields": [_field(f, inner, types) for f in fields]}
    return {**body, "namespace": namespace} if namespace else body


def _field(field: Field, namespace: str, types: dict[str, Any]) -> dict[str, Any]:
    if not _NAME.fullmatch(field.name):
        raise unsupported(f"extracting the column {field.name} to Avro, which forbids its name")
    if field.type == "RECORD":
        type_: Any = _record(field.name.capitalize(), namespace, field.fields, types)
    else:
        type_ = types[field.type]
    if field.mode == "REPEATED":
        type_ = {"type": "array", "items": type_}
    elif field.mode == "NULLABLE":
        type_ = ["null", type_]
    return {"name": field.name, "type": type_}


def _value(field: Field, value: str, logical_types: bool, depth: int) -> str:
    """A DuckDB expression of what the Avro writer takes."""
    if field.mode == "REPEATED":
        one = f"item_{depth}"
        item = Field(field.name, field.type, "NULLABLE", field.fields)
        inner = _value(item, one, logical_types, depth + 1)
        return f"list_transform(coalesce({value}, []), lambda {one}: {inner})"
    match field.type:
        case "RECORD":
            parts = ", ".join(
                f"{quoted(f.name)} := "
                + _value(f, f"struct_extract({value}, {literal(f.name)})", logical_types, depth)
                for f in field.fields
            )
            return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({parts}) END"
        case "TIMESTAMP":
            return f"epoch_us({value})"
        case "DATETIME":
            return f"replace(CAST({value} AS VARCHAR), ' ', 'T')"
        case "DATE" | "TIME" if not logical_types:
            return f"CAST({value} AS VARCHAR)"
        case _:
            return value
