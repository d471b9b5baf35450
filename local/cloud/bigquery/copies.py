"""Copy jobs: tables or single partitions into another table or one of its partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from local.cloud.bigquery import partitions, schema, tables, writes
from local.cloud.bigquery.jobs import Execution
from local.cloud.bigquery.names import Target, quoted, target
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.sizes import bytes_sql
from local.cloud.bigquery.store import Resource, Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.bigquery.writes import Source, Write
from local.cloud.http import ApiError, unsupported

_KNOWN_KEYS = {
    "createDisposition", "destinationTable", "operationType", "sourceTable", "sourceTables",
    "writeDisposition",
}  # fmt: skip
_MOST_SOURCES = 1_200


@dataclass(frozen=True)
class CopyConfig:
    """A copy job's configuration."""

    sources: tuple[Target, ...]
    destination: Target
    body: Mapping[str, Any]

    def write(self, layout: Mapping[str, Any]) -> Write:
        """How the rows are written; the first source's `layout` is a new destination's."""
        body = {key: value for key, value in self.body.items() if key.endswith("Disposition")}
        return writes.parse({**body, **layout}, self.destination, "WRITE_EMPTY")


def parse(body: Mapping[str, Any], project: str) -> CopyConfig:
    """Reads `configuration.copy`. Raises ApiError 400 for a wrong option, 501 for unknown ones."""
    for key, value in body.items():
        if key not in _KNOWN_KEYS and value not in (None, "", [], {}, False):
            raise unsupported(f"the copy option {key}")
    if body.get("operationType", "COPY") not in ("COPY", "OPERATION_TYPE_UNSPECIFIED"):
        raise unsupported(f"copies of operationType {body['operationType']}")
    if not body.get("destinationTable"):
        raise ApiError(400, "Required parameter is missing: destinationTable")
    named = list(body.get("sourceTables") or [])
    if body.get("sourceTable"):
        named.append(body["sourceTable"])
    if not named:
        raise ApiError(400, "Required parameter is missing: sourceTable")
    if len(named) > _MOST_SOURCES:
        raise ApiError(400, f"Too many source tables: {len(named)}; at most {_MOST_SOURCES}")
    config = CopyConfig(
        tuple(target(reference, project) for reference in named),
        target(body["destinationTable"], project),
        body,
    )
    if config.destination.table in {source.table for source in config.sources}:
        raise unsupported("copies of a table into itself")
    config.write({})
    return config


def run(execution: Execution, store: Store) -> None:
    """Runs a copy job. Its rows, the table's new state and the job's success commit together."""
    config = parse(execution.configuration["copy"], execution.project)
    resources = [_source(store, source, execution.location) for source in config.sources]
    fields = _common_fields(config, resources)
    write = config.write(_layout(resources[0]))
    with execution.writing(config.destination.table) as tx:
        existing = writes.existing(store, write, execution.location)
        if existing is not None:
            _check_fits(config, resources, fields, existing)
        source = Source(fields, _relation(config.sources, resources, fields), typed=True)
        try:
            copied = _bytes(tx, source)
            rows = writes.write_rows(store, tx, write, source, existing)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise writes.failure(error, "") from error
        statistics = {"copiedRows": str(rows), "copiedLogicalBytes": str(copied)}
        execution.complete(tx, {"copy": statistics})


def _source(store: Store, source: Target, location: str) -> Resource:
    """A table that can be copied. Raises ApiError 400, 404 or 501."""
    resource = tables.stored(store, source.table)
    if resource["location"] != location:
        raise unsupported("copies from one location to another")
    return resource


def _common_fields(config: CopyConfig, resources: Sequence[Resource]) -> Schema:
    """The columns that all sources have. Raises ApiError 400 when they differ."""
    first = tables.fields_of(resources[0])
    for source, resource in zip(config.sources[1:], resources[1:], strict=True):
        if _shape(tables.fields_of(resource)) != _shape(first):
            message = f"The schema of {source.table} is not that of {config.sources[0].table}"
            raise ApiError(400, f"Provided Schema does not match Table. {message}")
        if partitions.describe(resource) != partitions.describe(resources[0]):
            raise ApiError(400, f"{source.table} is not partitioned as the first source table is")
    return first


def _shape(fields: Schema) -> list[tuple[str, str]]:
    return sorted((field.name.lower(), field.duckdb_type) for field in fields)


def _layout(resource: Resource) -> dict[str, Any]:
    return {key: resource[key] for key in ("timePartitioning", "clustering") if key in resource}


def _check_fits(
    config: CopyConfig, resources: Sequence[Resource], fields: Schema, existing: Resource
) -> None:
    """A copy neither repartitions a table nor leaves any of its columns out."""
    given, expected = (partitions.describe(found) for found in (resources[0], existing))
    if existing.get("timePartitioning") and not resources[0].get("timePartitioning"):
        raise unsupported("copies of a table without partitions into one that has some")
    if given != expected:
        raise ApiError(
            400,
            f"Incompatible table partitioning specification for {config.destination.table}. "
            f"Expects partitioning specification {expected}, but input partitioning "
            f"specification is {given}",
        )
    replaces = config.body.get("writeDisposition") == "WRITE_TRUNCATE"
    if replaces and config.destination.partition is None:
        return
    known = schema.by_name(fields)
    for field in tables.fields_of(existing):
        if field.name.lower() not in known:
            raise ApiError(
                400,
                f"Provided Schema does not match Table {config.destination.table}. "
                f"Field {field.name} is missing in new schema",
            )


def _relation(sources: Sequence[Target], resources: Sequence[Resource], fields: Schema) -> str:
    """The rows of all sources, without those in streaming buffers."""
    columns = ", ".join(quoted(field.name) for field in fields)
    selects = []
    for source, resource in zip(sources, resources, strict=True):
        where = f"NOT {buffer.WAITING}"
        if source.partition:
            partitioning = partitions.required(resource, tables.fields_of(resource))
            where += f" AND {partitioning.predicate(source.partition)}"
        selects.append(f"SELECT {columns} FROM {source.table.physical} WHERE {where}")
    return f"({' UNION ALL '.join(selects)})"


def _bytes(tx: Transaction, source: Source) -> int:
    return tx.count(f"SELECT {bytes_sql(source.fields)} FROM {source.relation}")
