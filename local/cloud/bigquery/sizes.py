"""Row counts and logical sizes of tables, counted anew only when rows have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local.cloud.bigquery import tables
from local.cloud.bigquery.names import TableRef, quoted
from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.schema import Field
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer

_PRIVATE = ("revision", tables.IN_FILE)


@dataclass(frozen=True)
class Size:
    """Rows, and their bytes as BigQuery bills them (8 for an INT64, …)."""

    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class _Waiting:
    """The rows in a streaming buffer."""

    size: Size
    oldest_ms: int | None

    def to_json(self) -> Resource:
        return {
            "estimatedRows": str(self.size.rows),
            "estimatedBytes": str(self.size.bytes),
            "oldestEntryTime": str(self.oldest_ms),
        }


class Sizes:
    """Sizes of tables without their streaming buffers. A view has none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # By the table's revision and its settled rows: inserted rows settle without a revision.
        self._known: dict[TableRef, tuple[str, Size]] = {}

    def of(self, resource: Resource) -> Size:
        if resource["type"] == "VIEW":
            return Size()
        ref = table_of(resource)
        settled = f"FROM {ref.physical} WHERE NOT {buffer.WAITING}"
        revision, size = self._known.get(ref, ("", Size()))
        with self._store.reading() as cursor:
            [(rows,)] = cursor.execute(f"SELECT count(*) {settled}").fetchall()
            if (revision, size.rows) != (resource["revision"], rows):
                [(bytes_,)] = cursor.execute(f"SELECT {_bytes(resource)} {settled}").fetchall()
                size = Size(rows, bytes_)
        self._known[ref] = (resource["revision"], size)
        return size

    def with_counts(self, resource: Resource) -> Resource:
        """The resource as `tables.get` answers it."""
        answer = public(resource)
        if resource["type"] == "VIEW":
            return answer
        size, waiting = self.of(resource), self._waiting(resource)
        if waiting.size.rows:
            answer["streamingBuffer"] = waiting.to_json()
        return answer | counts(size)

    def of_rows(self, resource: Resource, condition: str) -> Size:
        """The size of a stored table's rows of which a DuckDB condition holds."""
        with self._store.reading() as cursor:
            [(rows, bytes_)] = cursor.execute(
                f"SELECT count(*), {_bytes(resource)} "
                f"FROM {table_of(resource).physical} WHERE {condition}"
            ).fetchall()
        return Size(rows, bytes_)

    def _waiting(self, resource: Resource) -> _Waiting:
        with self._store.reading() as cursor:
            [(rows, bytes_, oldest_ms)] = cursor.execute(
                f"SELECT count(*), {_bytes(resource)}, epoch_ms(min({buffer.INSERTED})) "
                f"FROM {table_of(resource).physical} WHERE {buffer.WAITING}"
            ).fetchall()
        return _Waiting(Size(rows, bytes_), oldest_ms)


def public(resource: Resource) -> Resource:
    """A resource without what never leaves the server."""
    return {key: value for key, value in resource.items() if key not in _PRIVATE}


def counts(size: Size) -> Resource:
    """A size as a table's resource tells it."""
    return {
        "numRows": str(size.rows),
        "numBytes": str(size.bytes),
        "numTotalLogicalBytes": str(size.bytes),
        "numLongTermBytes": "0",
    }


def _bytes(resource: Resource) -> str:
    return bytes_sql(tables.fields_of(resource))


def bytes_sql(fields: Sequence[Field]) -> str:
    """A DuckDB aggregate: the logical bytes of some columns."""
    columns = [_size_sql(field) for field in fields]
    return f"coalesce(sum({' + '.join(columns) or '0'}), 0)"


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
