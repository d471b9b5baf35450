"""Parquet files as a source: columns by name, types as BigQuery reads them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from local.cloud.bigquery.loads.config import LoadConfig
from local.cloud.bigquery.loads.files import SourceFile
from local.cloud.bigquery.names import literal
from local.cloud.bigquery.schema import Field, Schema, by_name
from local.cloud.bigquery.writes import Source
from local.cloud.http import ApiError, unsupported

_EITHER_INSTANT = {"TIMESTAMP", "DATETIME"}


def open_files(files: Sequence[SourceFile], config: LoadConfig, table: Schema | None) -> Source:
    """Reads the files' schemas. Raises ApiError 400 for a broken file or types that clash."""
    hints = by_name((*(table or ()), *(config.write.schema or ())))
    fields: dict[str, Field] = {}
    for file in files:
        for field in _fields(file, hints, list_inference=config.list_inference):
            known = fields.setdefault(field.name.lower(), field)
            if known.type != field.type:
                raise _wrong_type(file, field.name, field.type, known.type)
            if field.mode == "NULLABLE" and known.mode == "REQUIRED":
                fields[field.name.lower()] = field
    if config.write.schema is not None:
        _check_types(files[0], tuple(fields.values()), config.write.schema)
    paths = ", ".join(literal(file.path) for file in files)
    relation = f"read_parquet([{paths}], union_by_name=true)"
    return Source(tuple(fields.values()), relation, typed=True)


def _fields(file: SourceFile, hints: dict[str, Field], *, list_inference: bool) -> list[Field]:
    try:
        arrow = pq.read_schema(file.path)
    except (pa.ArrowException, OSError) as error:
        message = "Error while reading data, error message: Input file is not in Parquet format"
        raise ApiError(400, f"{message}: {error}. File: {file.name}") from error
    fields = []
    for column in arrow:
        field = _field(column, list_inference=list_inference)
        hint = hints.get(field.name.lower())
        if hint and {hint.type, field.type} == _EITHER_INSTANT:
            field = Field(field.name, hint.type, field.mode, field.fields)
        fields.append(field)
    return fields


def _field(column: pa.Field, *, list_inference: bool) -> Field:
    type_ = column.type
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        if not list_inference:
            raise unsupported(
                f"Parquet lists without parquetOptions.enableListInference (column {column.name})"
            )
        element = _field(type_.value_field, list_inference=list_inference)
        return Field(column.name, element.type, "REPEATED", element.fields)
    mode = "NULLABLE" if column.nullable else "REQUIRED"
    if pa.types.is_struct(type_):
        inner = tuple(_field(f, list_inference=list_inference) for f in type_)
        nullable = tuple(Field(f.name, f.type, _inner_mode(f), f.fields) for f in inner)
        return Field(column.name, "RECORD", mode, nullable)
    return Field(column.name, _scalar(column.name, type_), mode)


def _inner_mode(field: Field) -> str:
    return "REPEATED" if field.mode == "REPEATED" else "NULLABLE"


def _scalar(name: str, type_: pa.DataType) -> str:
    if pa.types.is_dictionary(type_):
        return _scalar(name, type_.value_type)
    for is_type, bigquery in _SCALARS:
        if is_type(type_):
            return bigquery
    if pa.types.is_decimal(type_) and type_.scale <= 9 and type_.precision - type_.scale <= 29:
        return "NUMERIC"
    raise unsupported(f"the Parquet type {type_} (column {name})")


_SCALARS = (
    (pa.types.is_integer, "INTEGER"),
    (pa.types.is_floating, "FLOAT"),
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_string, "STRING"),
    (pa.types.is_large_string, "STRING"),
    (pa.types.is_binary, "BYTES"),
    (pa.types.is_large_binary, "BYTES"),
    (pa.types.is_fixed_size_binary, "BYTES"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_time, "TIME"),
    (pa.types.is_timestamp, "TIMESTAMP"),
)


def _check_types(file: SourceFile, fields: Schema, wanted: Schema) -> None:
    known = by_name(wanted)
    for field in fields:
        target = known.get(field.name.lower())
        if target is not None and target.type != field.type:
            raise _wrong_type(file, field.name, field.type, target.type)


def _wrong_type(file: SourceFile, name: str, found: str, expected: str) -> ApiError:
    return ApiError(
        400,
        f"Error while reading data, error message: Parquet column '{name}' has type {found} which "
        f"does not match the target type {expected}. File: {file.name}",
    )
