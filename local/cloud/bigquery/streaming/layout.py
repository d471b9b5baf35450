"""What rows must fit: a table's columns and partitioning, read from its resource once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.cloud.bigquery import tables
from local.cloud.bigquery.names import Target
from local.cloud.bigquery.partitions import Partitioning
from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.store import Resource
from local.cloud.http import ApiError


@dataclass(frozen=True)
class Layout:
    """`created` tells a table from another one of the same name."""

    fields: Schema
    partitioning: Partitioning | None
    schema: dict[str, Any]
    created: str

    def describes(self, resource: Resource) -> bool:
        """Whether the table still is as it was when this was read."""
        return self.schema == resource["schema"] and self.created == resource["creationTime"]


def read(resource: Resource) -> Layout:
    """The layout of a table. Raises ApiError 400 for one that takes no rows."""
    if resource["type"] == "VIEW":
        raise ApiError(400, "Cannot add rows to a table of type VIEW.")
    tables.check_not_a_result(resource)
    fields = tables.fields_of(resource)
    if not fields:
        raise ApiError(400, f"The destination table {resource['id']} has no schema.")
    partitioning = tables.partitioning_of(resource)
    return Layout(fields, partitioning, resource["schema"], resource["creationTime"])


def check_decorator(resource: Resource, target: Target) -> None:
    """Raises ApiError 400 for `table$partition`: a column says where a row belongs."""
    if target.partition and resource.get("timePartitioning"):
        name = f"{table_of(resource)}${target.partition}"
        raise ApiError(
            400,
            f"Streaming to metadata partition of column based partitioning table {name} is "
            "disallowed.",
        )
    if target.partition:
        raise ApiError(400, f"Table {resource['id']} is not partitioned")
