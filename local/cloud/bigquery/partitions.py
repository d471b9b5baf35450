"""Time partitioning: which rows a partition id names, and how a row's partition is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.cloud.bigquery.names import quoted
from local.cloud.bigquery.schema import Field, Schema, by_name
from local.cloud.http import ApiError, unsupported

NULL_PARTITION = "__NULL__"
_ID_FORMATS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}
_KNOWN_KEYS = {"type", "field", "expirationMs"}
_PARTITION_TYPES = ("DATE", "TIMESTAMP", "DATETIME")


@dataclass(frozen=True)
class Partitioning:
    """Partitions of `granularity` HOUR, DAY, MONTH or YEAR by one column."""

    granularity: str
    column: Field

    def id_sql(self) -> str:
        """A DuckDB expression: the partition id of a row."""
        column = quoted(self.column.name)
        text = f"strftime({column}, '{_ID_FORMATS[self.granularity]}')"
        return f"coalesce({text}, '{NULL_PARTITION}')"

    def predicate(self, partition_id: str) -> str:
        """A DuckDB condition that holds for the rows of one partition, and is never NULL.

        Raises ApiError 400 for an id of another granularity.
        """
        column = quoted(self.column.name)
        if partition_id == NULL_PARTITION:
            return f"{column} IS NULL"
        start = self._start(partition_id)
        end = self._end(start)
        kind = self.column.duckdb_type
        between = f"{column} >= {kind} '{start:%F %T}' AND {column} < {kind} '{end:%F %T}'"
        return f"coalesce({between}, false)"

    def started_before(self, moment_ms: int) -> str:
        """A DuckDB condition: rows of partitions that start at or before a moment."""
        start = f"date_trunc('{self.granularity.lower()}', {quoted(self.column.name)})"
        return f"coalesce({start} <= make_timestamptz({moment_ms * 1000}), false)"

    def _start(self, partition_id: str) -> datetime:
        format_ = _ID_FORMATS[self.granularity]
        try:
            start = datetime.strptime(partition_id, format_)  # noqa: DTZ007 - all is UTC here
        except ValueError:
            start = None
        if start is None or f"{start:{format_}}" != partition_id:
            raise ApiError(
                400,
                f"Invalid partition id '{partition_id}' for a table partitioned by "
                f"{self.granularity}",
            )
        return start

    def _end(self, start: datetime) -> datetime:
        if self.granularity == "HOUR":
            return start + timedelta(hours=1)
        if self.granularity == "DAY":
            return start + timedelta(days=1)
        if self.granularity == "YEAR":
            return start.replace(year=start.year + 1)
        return (start + timedelta(days=31)).replace(day=1)


def parse(resource: Mapping[str, Any], schema: Schema) -> Partitioning | None:
    """Reads `timePartitioning` of a table or job. Raises ApiError 400 or 501."""
    for other in ("rangePartitioning", "externalDataConfiguration", "materializedView"):
        if resource.get(other):
            raise unsupported(other)
    spec = resource.get("timePartitioning")
    if any((part or {}).get("requirePartitionFilter") for part in (resource, spec)):
        raise unsupported("requirePartitionFilter")
    if not spec:
        return None
    extra = sorted({k for k, v in spec.items() if v is not None} - _KNOWN_KEYS)
    extra = [key for key in extra if key != "requirePartitionFilter"]
    if extra:
        raise unsupported(f"timePartitioning.{extra[0]}")
    granularity = str(spec.get("type", "DAY"))
    if granularity not in _ID_FORMATS:
        raise ApiError(400, f"Invalid time partitioning type {granularity}")
    if not spec.get("field"):
        raise unsupported("ingestion-time partitioning (timePartitioning without a field)")
    column = by_name(schema).get(str(spec["field"]).lower())
    if column is None:
        raise ApiError(
            400, f"The field specified for partitioning cannot be found in the schema: {spec}"
        )
    allowed = _PARTITION_TYPES[1:] if granularity == "HOUR" else _PARTITION_TYPES
    if column.type not in allowed or column.mode == "REPEATED":
        raise ApiError(
            400, f"The field {column.name} of type {column.type} cannot partition by {granularity}"
        )
    return Partitioning(granularity, column)


def required(resource: Mapping[str, Any], schema: Schema) -> Partitioning:
    """The table's partitioning. Raises ApiError 400 for a table that has none."""
    partitioning = parse(resource, schema)
    if partitioning is None:
        raise ApiError(400, f"Table {resource['id']} is not partitioned")
    return partitioning


def normal(spec: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`timePartitioning` as the service answers with it: expirationMs is a string of digits."""
    if not spec:
        return None
    kept: dict[str, Any] = {"type": spec.get("type", "DAY"), "field": spec["field"]}
    if int(spec.get("expirationMs") or 0):
        kept["expirationMs"] = str(spec["expirationMs"])
    return kept


def describe(resource: Mapping[str, Any]) -> str:
    """Partitioning and clustering in the words the service uses when two disagree."""
    spec = resource.get("timePartitioning")
    fields = (resource.get("clustering") or {}).get("fields", [])
    parts = []
    if spec:
        parts.append(f"interval(type:{spec.get('type', 'DAY').lower()},field:{spec.get('field')})")
    if fields:
        parts.append(f"clustering({','.join(fields)})")
    return " ".join(parts) or "none"
