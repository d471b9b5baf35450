"""Rows into a table or one of its partitions: what load jobs and query jobs have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from local.cloud.bigquery import datasets, partitions, schema, tables
from local.cloud.bigquery.errors import already_exists, not_found
from local.cloud.bigquery.names import Target, quoted
from local.cloud.bigquery.resources import rewritten, touched
from local.cloud.bigquery.schema import Schema, by_name
from local.cloud.bigquery.store import Resource, Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import ApiError

_CREATE = ("CREATE_IF_NEEDED", "CREATE_NEVER")
_UPDATES = ("ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION")
_WRITE = ("WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_EMPTY")

_NOT_NULL = re.compile(r"NOT NULL constraint failed: [^.\s]+\.(\S+)")


@dataclass(frozen=True)
class Source:
    """Rows ready to be written.

    `relation` is a DuckDB FROM item whose columns carry the names of `fields`. `typed` says that
    `fields` came from the data itself (Parquet, a query) rather than from the job or the table.
    """

    fields: Schema
    relation: str
    typed: bool
    bad_records: int = 0


@dataclass(frozen=True)
class Write:
    """How a job writes. `layout` is its configuration, for what it says of the table itself:

    timePartitioning, clustering, destinationTableProperties.
    """

    destination: Target
    disposition: str
    create: str
    add_fields: bool
    relax_fields: bool
    layout: Mapping[str, Any]
    schema: Schema | None = None
    ignore_unknown: bool = False


def parse(
    body: Mapping[str, Any],
    destination: Target,
    default: str,
    schema_: Schema | None = None,
    *,
    ignore_unknown: bool = False,
) -> Write:
    """Reads the writing options that load and query configurations share. Raises ApiError 400."""
    updates = body.get("schemaUpdateOptions") or []
    for update in updates:
        _one_of("schemaUpdateOptions", update, _UPDATES)
    return Write(
        destination=destination,
        disposition=_one_of("writeDisposition", body.get("writeDisposition") or default, _WRITE),
        create=_one_of("createDisposition", body.get("createDisposition") or _CREATE[0], _CREATE),
        add_fields="ALLOW_FIELD_ADDITION" in updates,
        relax_fields="ALLOW_FIELD_RELAXATION" in updates,
        layout=body,
        schema=schema_,
        ignore_unknown=ignore_unknown,
    )


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ApiError(400, f"Invalid value for {option}: {value}")
    return value


def existing(store: Store, write: Write, location: str) -> Resource | None:
    """The destination as it is, or None when the job shall create it. Raises ApiError 400, 404."""
    ref = write.destination.table
    dataset = datasets.get(store, ref.in_dataset)
    if dataset["location"] != location:
        raise ApiError(
            404,
            f"Not found: Dataset {ref.in_dataset} was not found in location {location}",
            "notFound",
        )
    resource = store.get("table", str(ref))
    if resource is None and write.create == "CREATE_NEVER":
        raise not_found("Table", ref)
    if resource is not None and resource["type"] == "VIEW":
        raise ApiError(400, f"Cannot write to a view: {ref}")
    if resource is not None:
        tables.check_not_a_result(resource)
    return resource


def write_rows(
    store: Store, tx: Transaction, write: Write, source: Source, resource: Resource | None
) -> int:
    """Writes the source's rows to the destination; answers how many. Raises ApiError 400, 409.

    The caller holds the table's lock and passes its resource (None: it is to be created).
    """
    ref = write.destination.table
    current = tables.fields_of(resource) if resource else None
    if resource is not None:
        _check_same_properties(write, resource)
    if write.disposition == "WRITE_EMPTY" and resource is not None:
        _check_empty(tx, write, resource)
    replaces_all = write.disposition == "WRITE_TRUNCATE" and write.destination.partition is None
    if resource is None or replaces_all:
        fields = write.schema or _fields_of_source(source, current)
        resource = _fresh(store, tx, write, fields, resource)
    else:
        _check_same_layout(write, resource)
        fields = _evolved(write, source, current or ())
        tables.change_schema(tx, ref, current or (), fields)
        resource = {**resource, "schema": schema.to_json(fields)}
    _check_unknown(write, source, fields)
    condition = _partition_condition(write, resource)
    selected, columns = projection(source, fields)
    if condition:
        _check_partition(tx, write, source, fields, condition)
        if write.disposition == "WRITE_TRUNCATE":
            settled = f"{condition} AND NOT {buffer.WAITING}"
            tx.execute(f"DELETE FROM {ref.physical} WHERE {settled}")
    rows = tx.count(f"INSERT INTO {ref.physical} ({columns}) {selected}") if columns else 0
    if fields != current:
        resource = touched(resource)
    tx.put("table", str(ref), rewritten(resource))
    return rows


def _fields_of_source(source: Source, current: Schema | None) -> Schema:
    """The schema a load gives a table whose job names none: the files' own, else the table's."""
    return source.fields if source.typed else current or source.fields


def _fresh(
    store: Store, tx: Transaction, write: Write, fields: Schema, old: Resource | None
) -> Resource:
    """Creates the table, or replaces it whole: a truncating load brings its schema along."""
    ref = write.destination.table
    body = {"schema": schema.to_json(fields), **_properties(write)}
    for layout in ("timePartitioning", "clustering"):
        if write.layout.get(layout):
            body[layout] = write.layout[layout]
    if old is None:
        resource = tables.build(store, ref, body)
        tables.create(store, tx, resource)
        return resource
    _check_same_layout(write, old)
    resource = {**old, "schema": body["schema"]}
    partitions.parse(resource, fields)
    tx.hold(buffer.lock_name(ref))
    tx.execute(f"DROP TABLE {ref.physical}")
    tx.execute(tables.create_sql(ref, fields))
    return resource


def _properties(write: Write) -> Mapping[str, Any]:
    """What the job calls the table: description, friendlyName, labels."""
    given = write.layout.get("destinationTableProperties") or {}
    return {key: value for key, value in given.items() if value}


def _check_same_properties(write: Write, resource: Resource) -> None:
    for key, value in _properties(write).items():
        if resource.get(key) != value:
            raise ApiError(
                400,
                f"Cannot change the {key} of table {write.destination.table} by a job that writes "
                f"to it: it is {resource.get(key)!r}",
            )


def _check_same_layout(write: Write, resource: Resource) -> None:
    """A job that states partitioning or clustering must state the table's."""
    ref = write.destination.table
    if not write.layout.get("timePartitioning") and not write.layout.get("clustering"):
        return
    expected, given = partitions.describe(resource), partitions.describe(write.layout)
    if expected != given:
        raise ApiError(
            400,
            f"Incompatible table partitioning specification for {ref}. Expects partitioning "
            f"specification {expected}, but input partitioning specification is {given}",
        )


def _evolved(write: Write, source: Source, current: Schema) -> Schema:
    incoming = write.schema or (source.fields if source.typed else None)
    if incoming is None:
        return current
    if write.ignore_unknown and write.schema is None:
        known = by_name(current)
        incoming = tuple(field for field in incoming if field.name.lower() in known)
    return schema.evolve(
        current,
        incoming,
        write.destination.table,
        add=write.add_fields,
        relax=write.relax_fields,
        partial=True,
    )


def _check_unknown(write: Write, source: Source, fields: Schema) -> None:
    known = by_name(fields)
    unknown = [field.name for field in source.fields if field.name.lower() not in known]
    if unknown and not write.ignore_unknown:
        raise ApiError(
            400,
            f"Provided Schema does not match Table {write.destination.table}. "
            f"Cannot add fields (field: {unknown[0]})",
        )


def projection(source: Source, fields: Schema) -> tuple[str, str]:
    """The SELECT that gives the source's columns the table's types, and the columns it fills."""
    known = by_name(source.fields)
    present = [field for field in fields if field.name.lower() in known]
    casts = ", ".join(
        f"CAST({quoted(known[f.name.lower()].name)} AS {f.duckdb_type}) AS {quoted(f.name)}"
        for f in present
    )
    return f"SELECT {casts} FROM {source.relation}", ", ".join(quoted(f.name) for f in present)


def _partition_condition(write: Write, resource: Resource) -> str | None:
    partition = write.destination.partition
    if partition is None:
        return None
    return partitions.required(resource, tables.fields_of(resource)).predicate(partition)


def _check_partition(
    tx: Transaction, write: Write, source: Source, fields: Schema, condition: str
) -> None:
    """Refuses rows that lie outside the partition which the decorator names."""
    known = by_name(source.fields)
    values = ", ".join(
        f"CAST({quoted(known[f.name.lower()].name) if f.name.lower() in known else 'NULL'} "
        f"AS {f.duckdb_type}) AS {quoted(f.name)}"
        for f in fields
    )
    outside = f"SELECT count(*) FROM (SELECT {values} FROM {source.relation}) WHERE NOT {condition}"
    if tx.count(outside):
        raise ApiError(
            400,
            "Some rows belong to different partitions rather than destination partition "
            f"{write.destination.partition}",
        )


def _check_empty(tx: Transaction, write: Write, resource: Resource) -> None:
    ref, partition = write.destination.table, write.destination.partition
    condition = _partition_condition(write, resource) or "true"
    if tx.count(f"SELECT count(*) FROM {ref.physical} WHERE {condition}"):
        raise already_exists("Table", f"{ref}${partition}" if partition else ref)


def failure(error: duckdb.Error, prefix: str) -> ApiError:
    """DuckDB's complaint about the data, in BigQuery's words where clients look for them."""
    text = str(error)
    if match := _NOT_NULL.search(text):
        return ApiError(400, f"{prefix}Required field {match[1]} cannot be null")
    return ApiError(400, prefix + text.split("\n\nLINE")[0].strip())
