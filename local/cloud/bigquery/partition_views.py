"""What `table$decorator` shows: one partition as a table, or the list of a table's partitions.

Clients list partitions by reading the meta table `table$__PARTITIONS_SUMMARY__`.
"""

from __future__ import annotations

from local.cloud.bigquery import information_schema, partitions, rows, schema, tables
from local.cloud.bigquery.names import quoted
from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.rows import Page, Rows, Window
from local.cloud.bigquery.schema import Field, Schema
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import ApiError

SUMMARY = "__PARTITIONS_SUMMARY__"
_COLUMNS = {
    "project_id": "table_catalog",
    "dataset_id": "table_schema",
    "table_id": "table_name",
    "partition_id": "partition_id",
}
SUMMARY_FIELDS = tuple(Field(name, "STRING") for name in _COLUMNS)


def named(resource: Resource, partition: str) -> Resource:
    """The table's resource under its decorated name, without counts. Raises ApiError 400."""
    if partition == SUMMARY:
        _check_partitioned(resource)
        resource = {**resource, "schema": schema.to_json(SUMMARY_FIELDS)}
    reference = resource["tableReference"]
    reference = {**reference, "tableId": f"{reference['tableId']}${partition}"}
    return {**resource, "id": f"{resource['id']}${partition}", "tableReference": reference}


def settled_rows(resource: Resource, partition: str) -> str:
    """A DuckDB condition: the rows of one partition, those in the streaming buffer left out.

    Raises ApiError 400 for a table without partitions and for an id of another granularity.
    """
    partitioning = partitions.required(resource, tables.fields_of(resource))
    return f"{partitioning.predicate(partition)} AND NOT {buffer.WAITING}"


def read_summary(store: Store, resource: Resource, chosen: Schema, page: Page) -> Rows:
    """One row for each partition that holds rows, in the order of their ids."""
    _check_partitioned(resource)
    columns = ", ".join(f"{quoted(old)} AS {quoted(new)}" for new, old in _COLUMNS.items())
    found = information_schema.partitions_of(resource)
    relation = f"(SELECT {columns} FROM ({found}) ORDER BY partition_id)"
    return rows.read_relation(store, relation, chosen, page, Window())


def _check_partitioned(resource: Resource) -> None:
    if not resource.get("timePartitioning"):
        raise ApiError(
            400,
            "Cannot read partition information from a table that is not partitioned: "
            f"{table_of(resource)}",
        )
