"""INFORMATION_SCHEMA of one dataset as DuckDB SELECTs: TABLES, COLUMNS, PARTITIONS."""

from __future__ import annotations

from collections.abc import Sequence

from local.cloud.bigquery import tables
from local.cloud.bigquery.names import DatasetRef, TableRef, literal, quoted
from local.cloud.bigquery.resources import table_of, tables_in
from local.cloud.bigquery.schema import Field
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import unsupported

_STANDARD = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def select(store: Store, dataset: DatasetRef, view: str) -> str:
    """The rows of one INFORMATION_SCHEMA view. Raises ApiError 501 for a view we do not have."""
    match view:
        case "TABLES":
            return _tables(store, dataset)
        case "COLUMNS":
            return _columns(store, dataset)
        case "PARTITIONS":
            return _partitions(store, dataset)
    raise unsupported(f"INFORMATION_SCHEMA.{view}")


def _tables(store: Store, dataset: DatasetRef) -> str:
    rows = []
    for ref in tables_in(store, dataset):
        resource = tables.get(store, ref)
        kind = "VIEW" if resource["type"] == "VIEW" else "BASE TABLE"
        created = f"make_timestamptz({int(resource['creationTime']) * 1000})"
        rows.append([*_name(ref), literal(kind), created])
    columns = ["table_catalog", "table_schema", "table_name", "table_type", "creation_time"]
    return _values(columns, rows)


def _columns(store: Store, dataset: DatasetRef) -> str:
    rows = []
    for ref in tables_in(store, dataset):
        resource = tables.get(store, ref)
        by = str((resource.get("timePartitioning") or {}).get("field", "")).lower()
        cluster = [n.lower() for n in (resource.get("clustering") or {}).get("fields", [])]
        for position, field in enumerate(tables.fields_of(resource), start=1):
            name = field.name.lower()
            rows.append(
                [
                    *_name(ref),
                    literal(field.name),
                    f"{position}::BIGINT",
                    literal("NO" if field.mode == "REQUIRED" else "YES"),
                    literal(standard_type(field)),
                    literal("YES" if name == by else "NO"),
                    f"{cluster.index(name) + 1 if name in cluster else 'NULL'}::BIGINT",
                ]
            )
    columns = ["table_catalog", "table_schema", "table_name", "column_name", "ordinal_position"]
    columns += ["is_nullable", "data_type", "is_partitioning_column", "clustering_ordinal_position"]
    return _values(columns, rows)


def _partitions(store: Store, dataset: DatasetRef) -> str:
    found = (tables.get(store, ref) for ref in tables_in(store, dataset))
    selects = [partitions_of(resource) for resource in found if resource["type"] != "VIEW"]
    columns = ["table_catalog", "table_schema", "table_name", "partition_id", "total_rows"]
    return " UNION ALL ".join(selects) or _values(columns, [])


def partitions_of(resource: Resource) -> str:
    """A table's partitions that hold rows; an unpartitioned table is one row without an id."""
    ref = table_of(resource)
    partitioning = tables.partitioning_of(resource)
    id_ = "NULL::VARCHAR"
    if partitioning:
        waiting = f"WHEN {buffer.WAITING} THEN {literal(buffer.PARTITION)}"
        id_ = f"CASE {waiting} ELSE {partitioning.id_sql()} END"
    group = " GROUP BY ALL" if partitioning else ""
    columns = ("table_catalog", "table_schema", "table_name")
    names = ", ".join(
        f"{value} AS {column}" for value, column in zip(_name(ref), columns, strict=True)
    )
    return (
        f"SELECT {names}, {id_} AS partition_id, count(*) AS total_rows FROM {ref.physical}{group}"
    )


def standard_type(field: Field) -> str:
    """The field's type as GoogleSQL writes it."""
    if field.type == "RECORD":
        inner = ", ".join(f"{f.name} {standard_type(f)}" for f in field.fields)
        base = f"STRUCT<{inner}>"
    else:
        base = _STANDARD.get(field.type, field.type)
    return f"ARRAY<{base}>" if field.mode == "REPEATED" else base


def _name(ref: TableRef) -> list[str]:
    return [literal(ref.project), literal(ref.dataset), literal(ref.table)]


def _values(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    names = ", ".join(quoted(column) for column in columns)
    if not rows:
        nulls = ", ".join(f"NULL::VARCHAR AS {quoted(column)}" for column in columns)
        return f"SELECT {nulls} WHERE false"
    lines = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"SELECT * FROM (VALUES {lines}) AS rows_({names})"
