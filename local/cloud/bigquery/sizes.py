"""Row counts and logical sizes of tables, computed once for each version of a table."""

from __future__ import annotations

from dataclasses import dataclass

from local.cloud.bigquery import tables
from local.cloud.bigquery.names import quoted
from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.schema import Field
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer


@dataclass(frozen=True)
class Size:
    """A table's rows, and its bytes as BigQuery bills them (8 for an INT64, …)."""

    rows: int = 0
    bytes: int = 0


class Sizes:
    """Sizes by table version. A view has none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[str, Size]] = {}

    def of(self, resource: Resource) -> Size:
        if resource["type"] == "VIEW":
            return Size()
        ref = table_of(resource)
        revision, size = self._known.get(str(ref), ("", Size()))
        if revision != resource["revision"]:
            with self._store.reading() as cursor:
                [row] = cursor.execute(
                    f"SELECT count(*), coalesce(sum({_row_sql(resource)}), 0) FROM {ref.physical}"
                ).fetchall()
            size = Size(*row)
            self._known[str(ref)] = (resource["revision"], size)
        return size

    def with_counts(self, resource: Resource) -> Resource:
        """The resource as `tables.get` answers it."""
        answer = {key: value for key, value in resource.items() if key != "revision"}
        if resource["type"] == "VIEW":
            return answer
        size = self.of(resource)
        waiting = buffer.describe(self._store, table_of(resource), _row_sql(resource))
        if waiting:
            answer["streamingBuffer"] = waiting
        return {
            **answer,
            "numRows": str(size.rows),
            "numBytes": str(size.bytes),
            "numTotalLogicalBytes": str(size.bytes),
            "numLongTermBytes": "0",
        }


def _row_sql(resource: Resource) -> str:
    return " + ".join(_size_sql(field) for field in tables.fields_of(resource)) or "0"


def _size_sql(field: Field) -> str:
    column = quoted(field.name)
    if field.mode == "REPEATED" or field.type == "RECORD":
        return f"coalesce(octet_length(encode({column}::VARCHAR)), 0)"
    if field.type == "STRING":
        return f"coalesce(2 + octet_length(encode({column})), 0)"
    if field.type == "BYTES":
        return f"coalesce(2 + octet_length({column}), 0)"
    width = {"BOOLEAN": 1, "NUMERIC": 16}.get(field.type, 8)
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE {width} END"
