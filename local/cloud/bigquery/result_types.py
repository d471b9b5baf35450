"""BigQuery fields of a DuckDB query's result."""

from __future__ import annotations

from typing import Any

import duckdb

from local.cloud.bigquery.schema import Field, Schema
from local.cloud.http import ApiError, unsupported

_SCALARS = {
    "boolean": "BOOLEAN",
    "double": "FLOAT",
    "float": "FLOAT",
    "varchar": "STRING",
    "blob": "BYTES",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "DATETIME",
    "timestamp with time zone": "TIMESTAMP",
    "decimal": "NUMERIC",
    # An untyped NULL is an INT64 in BigQuery.
    "null": "INTEGER",
    "enum": "STRING",
}
_INTEGERS = {
    "bigint", "integer", "smallint", "tinyint", "hugeint", "ubigint", "uinteger", "usmallint",
    "utinyint", "uhugeint",
}  # fmt: skip


def fields_of(relation: duckdb.DuckDBPyRelation) -> Schema:
    """Raises ApiError 400 for duplicate names, 501 for types BigQuery or we do not have."""
    seen: set[str] = set()
    for name in relation.columns:
        if name.lower() in seen:
            raise ApiError(
                400,
                "Duplicate column names in the result are not supported. "
                f"Found duplicate(s): {name}",
                "invalidQuery",
            )
        seen.add(name.lower())
    return tuple(
        _field(name, type_) for name, type_ in zip(relation.columns, relation.types, strict=True)
    )


def _field(name: str, type_: Any) -> Field:
    kind = type_.id.strip('"').lower()
    if kind in _INTEGERS:
        return Field(name, "INTEGER")
    if kind in _SCALARS:
        return Field(name, _SCALARS[kind])
    if kind in ("list", "array"):
        element = _field(name, dict(type_.children)["child"])
        return Field(name, element.type, "REPEATED", element.fields)
    if kind == "struct":
        return Field(name, "RECORD", fields=tuple(_field(n, t) for n, t in type_.children))
    raise unsupported(f"results of type {type_} (column {name})")
