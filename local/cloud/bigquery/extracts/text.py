"""CSV and newline-delimited JSON: each row is one line of text that DuckDB composes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import pyarrow as pa

from local.cloud.bigquery.extracts.format import Format
from local.cloud.bigquery.names import literal, quoted
from local.cloud.bigquery.schema import Field, Schema
from local.cloud.http import ApiError

_JSON_TEXT = {"BYTES", "DATE", "TIME", "DATETIME", "TIMESTAMP", "NUMERIC", "INTEGER"}
"""Types whose values stand in quotation marks: JSON numbers would lose digits of an INT64."""


def csv(fields: Schema, delimiter: str, *, header: bool, zipped: bool) -> Format:
    """Raises ApiError 400 for columns that CSV cannot hold."""
    for field in fields:
        if field.type == "RECORD" or field.mode == "REPEATED":
            kind = "nested" if field.type == "RECORD" else "repeated"
            message = f"Operation cannot be performed on a {kind} schema. Field: {field.name}"
            raise ApiError(400, message)
    cells = [_csv_cell(_text(field, quoted(field.name)), delimiter) for field in fields]
    first = delimiter.join(_csv_name(field.name, delimiter) for field in fields)
    line = f" || {literal(delimiter)} || ".join(cells)
    return _lines(line, "text/csv", zipped, first if header else None)


def ndjson(fields: Schema, *, zipped: bool) -> Format:
    columns = [(field, quoted(field.name)) for field in fields]
    return _lines(_json_object(columns, 0), "application/json", zipped, None)


def _lines(line: str, content_type: str, zipped: bool, first: str | None) -> Format:
    def write(file: BinaryIO, batches: Iterable[pa.RecordBatch]) -> None:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) if zipped else file as out:
            if first is not None:
                out.write(f"{first}\n".encode())
            for batch in batches:
                out.write("".join(f"{row}\n" for row in batch.column(0).to_pylist()).encode())

    return Format([f"{line} AS line"], "application/gzip" if zipped else content_type, write)


def _csv_cell(text: str, delimiter: str) -> str:
    """NULL is nothing, an empty text a pair of quotation marks."""
    special = " OR ".join(f"contains({text}, {c})" for c in (literal(delimiter), "'\"'"))
    special = f"{text} = '' OR {special} OR contains({text}, chr(10)) OR contains({text}, chr(13))"
    marked = f"'\"' || replace({text}, '\"', '\"\"') || '\"'"
    return f"coalesce(CASE WHEN {special} THEN {marked} ELSE {text} END, '')"


def _csv_name(name: str, delimiter: str) -> str:
    return '"' + name.replace('"', '""') + '"' if delimiter in name or '"' in name else name


def _text(field: Field, value: str) -> str:
    """A scalar as the service writes it: a DuckDB expression of type VARCHAR."""
    match field.type:
        case "STRING":
            return value
        case "BYTES":
            return f"to_base64({value})"
        case "TIMESTAMP":
            return f"(CAST({value} AT TIME ZONE 'UTC' AS VARCHAR) || ' UTC')"
        case "DATETIME":
            return f"replace(CAST({value} AS VARCHAR), ' ', 'T')"
        case "FLOAT" | "NUMERIC":
            return f"main.bq_string({value})"
        case _:
            return f"CAST({value} AS VARCHAR)"


def _json_object(members: Sequence[tuple[Field, str]], depth: int) -> str:
    """Null members are left out."""
    parts = ", ".join(_json_member(field, value, depth) for field, value in members)
    return f"('{{' || concat_ws(',', {parts}) || '}}')"


def _json_member(field: Field, value: str, depth: int) -> str:
    key = literal(json.dumps(field.name, ensure_ascii=False) + ":")
    if field.mode == "REPEATED":
        one = f"item_{depth}"
        items = f"list_transform({value}, lambda {one}: {_json_value(field, one, depth + 1)})"
        return f"{key} || '[' || coalesce(array_to_string({items}, ','), '') || ']'"
    return f"CASE WHEN {value} IS NOT NULL THEN {key} || {_json_value(field, value, depth)} END"


def _json_value(field: Field, value: str, depth: int) -> str:
    if field.type == "RECORD":
        members = [(f, f"struct_extract({value}, {literal(f.name)})") for f in field.fields]
        return _json_object(members, depth)
    if field.type in _JSON_TEXT:
        return f"('\"' || {_text(field, value)} || '\"')"
    if field.type == "FLOAT":
        word = f"CASE WHEN isnan({value}) THEN 'NaN' WHEN {value} > 0 THEN 'Infinity' "
        word = f"'\"' || {word} ELSE '-Infinity' END || '\"'"
        return f"CASE WHEN isfinite({value}) THEN CAST({value} AS VARCHAR) ELSE {word} END"
    return f"CAST(to_json({value}) AS VARCHAR)"
