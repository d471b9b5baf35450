"""Avro files as a source: columns by name, types as BigQuery reads them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import fastavro
import pyarrow as pa

from local.cloud.bigquery.loads.config import LoadConfig
from local.cloud.bigquery.loads.files import SourceFile
from local.cloud.bigquery.names import quoted
from local.cloud.bigquery.schema import Field, Schema, by_name
from local.cloud.bigquery.store import Transaction
from local.cloud.bigquery.streaming.columns import arrow_type
from local.cloud.bigquery.writes import Source
from local.cloud.http import ApiError, unsupported

_PREFIX = "Error while reading data, error message: "
_AT_ONCE = 10_000
_TYPES = {
    "boolean": "BOOLEAN",
    "bytes": "BYTES",
    "double": "FLOAT",
    "enum": "STRING",
    "fixed": "BYTES",
    "float": "FLOAT",
    "int": "INTEGER",
    "long": "INTEGER",
    "string": "STRING",
}
_LOGICAL = {
    "date": "DATE",
    "datetime": "DATETIME",
    "decimal": "NUMERIC",
    "time-micros": "TIME",
    "time-millis": "TIME",
    "timestamp-micros": "TIMESTAMP",
    "timestamp-millis": "TIMESTAMP",
}


def open_files(
    tx: Transaction, files: Sequence[SourceFile], config: LoadConfig, table: Schema | None
) -> Source:
    """Stages the records of all files. Raises ApiError 400 for broken files or types that clash."""
    wanted = by_name((*(table or ()), *(config.write.schema or ())))
    fields: dict[str, Field] = {}
    for file in files:
        for name, field in by_name(_fields_of(file, config)).items():
            hint = wanted.get(name)
            if hint and (field.type, hint.type) == ("STRING", "DATETIME"):
                field = replace(field, type="DATETIME")
            known = fields.setdefault(name, field)
            expected = hint or known
            if field.type != expected.type:
                raise _wrong_type(file, field, expected.type)
            if field.mode == "NULLABLE":
                fields[name] = field
    found = tuple(fields.values())
    columns = ", ".join(f"{quoted(f.name)} {f.duckdb_type}" for f in found)
    tx.execute(f"CREATE TEMP TABLE staged ({columns})")
    for file in files:
        _stage(tx, file, found)
    return Source(found, "staged", typed=True)


def _stage(tx: Transaction, file: SourceFile, fields: Schema) -> None:
    schema = pa.schema([(f.name, _staged_type(f)) for f in fields])
    with _reading(file) as records:
        while group := list(itertools.islice(records, _AT_ONCE)):
            # DuckDB finds `rows` in this frame.
            rows = pa.Table.from_pylist(group, schema)  # noqa: F841
            tx.cursor.execute("INSERT INTO staged SELECT * FROM rows")


def _staged_type(field: Field) -> pa.DataType:
    """A DATETIME is text here: that is how Avro files have it, and DuckDB reads it."""
    if field.type == "DATETIME":
        base: pa.DataType = pa.string()
        return pa.list_(base) if field.mode == "REPEATED" else base
    return arrow_type(field)


@contextmanager
def _reading(file: SourceFile) -> Iterator[Any]:
    with file.path.open("rb") as opened:
        try:
            yield fastavro.reader(opened)
        except (ValueError, EOFError, StopIteration, KeyError, pa.ArrowException) as error:
            message = f"{_PREFIX}The Apache Avro library failed to read data: {error}."
            raise ApiError(400, f"{message} File: {file.name}") from error


def _fields_of(file: SourceFile, config: LoadConfig) -> Schema:
    with _reading(file) as records:
        schema = records.writer_schema
    if not isinstance(schema, Mapping) or schema.get("type") != "record":
        raise ApiError(400, f"{_PREFIX}The root of an Avro schema must be a record: {file.name}")
    return tuple(_field(f["name"], f["type"], config.logical_types) for f in schema["fields"])


def _field(name: str, type_: Any, logical: bool) -> Field:
    if isinstance(type_, list):
        others = [one for one in type_ if one != "null"]
        if len(others) != 1 or len(type_) > 2:
            raise unsupported(f"Avro unions of several types (column {name})")
        return replace(_field(name, others[0], logical), mode="NULLABLE")
    body = type_ if isinstance(type_, Mapping) else {"type": type_}
    kind = body["type"]
    if kind == "array":
        element = _field(name, body["items"], logical)
        return replace(element, mode="REPEATED")
    if kind == "record":
        inner = tuple(_field(f["name"], f["type"], logical) for f in body["fields"])
        # A RECORD's own fields are never REQUIRED here.
        inner = tuple(f if f.mode == "REPEATED" else replace(f, mode="NULLABLE") for f in inner)
        return Field(name, "RECORD", "REQUIRED", inner)
    return Field(name, _scalar(name, kind, body, logical), "REQUIRED")


def _scalar(name: str, kind: Any, body: Mapping[str, Any], logical: bool) -> str:
    if meant := body.get("logicalType"):
        if meant not in _LOGICAL or (meant == "decimal" and not _is_numeric(body)):
            raise unsupported(f"the Avro logical type {meant} (column {name})")
        if not logical:
            raise unsupported(f"Avro logical types without useAvroLogicalTypes (column {name})")
        return _LOGICAL[meant]
    if kind not in _TYPES:
        raise unsupported(f"the Avro type {kind} (column {name})")
    return _TYPES[kind]


def _is_numeric(body: Mapping[str, Any]) -> bool:
    precision, scale = int(body["precision"]), int(body.get("scale", 0))
    return scale <= 9 and precision - scale <= 29


def _wrong_type(file: SourceFile, field: Field, expected: str) -> ApiError:
    return ApiError(
        400,
        f"{_PREFIX}Avro column '{field.name}' has type {field.type} which does not match the "
        f"target type {expected}. File: {file.name}",
    )
