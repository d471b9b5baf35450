"""The streaming buffer of a table: a DuckDB table beside it, where inserted rows stand first.

Queries read both as one. Rows move on into the table when they are some minutes old; until then
loads into single partitions, DML and row counts do not see them, as in the service. A table gets
its buffer with its first insert. Writers of a buffer hold `lock_name(table)`; who changes its
columns or drops it holds the table's lock too, taken first.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from local.cloud.bigquery import schema
from local.cloud.bigquery.names import TableRef, quoted
from local.cloud.bigquery.resources import rewritten
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.store import Resource, Store, Transaction

KIND = "buffer"
# When a row came. The space keeps it apart from the table's own columns.
INSERTED = " inserted"
_INSERTED = quoted(INSERTED)


def lock_name(ref: TableRef) -> tuple[str, str]:
    return (KIND, str(ref))


def exists(store: Store, ref: TableRef) -> bool:
    return store.get(KIND, str(ref)) is not None


def create(store: Store, ref: TableRef) -> None:
    """Gives a table its buffer, unless it has one."""
    with store.locked(ref), store.transaction() as tx:
        resource = store.get("table", str(ref))
        if resource is not None and not exists(store, ref):
            tx.execute(_create_sql(ref, schema.parse(resource["schema"])))
            tx.put(KIND, str(ref), {"tableReference": ref.to_json()})


def _create_sql(ref: TableRef, fields: Schema) -> str:
    columns = [f"{quoted(f.name)} {f.duckdb_type}" for f in fields]
    return f"CREATE TABLE {ref.buffer} ({', '.join(columns)}, {_INSERTED} TIMESTAMPTZ)"


def drop(store: Store, tx: Transaction, ref: TableRef) -> None:
    """Drops the buffer with its rows, if there is one. The caller holds the table's lock."""
    if exists(store, ref):
        tx.hold(lock_name(ref))
        tx.execute(f"DROP TABLE {ref.buffer}")
        tx.remove(KIND, str(ref))


def replace(store: Store, tx: Transaction, ref: TableRef, fields: Schema) -> None:
    """Empties the buffer and gives it another schema. The caller holds the table's lock."""
    if exists(store, ref):
        tx.hold(lock_name(ref))
        tx.execute(f"DROP TABLE {ref.buffer}")
        tx.execute(_create_sql(ref, fields))


def add_columns(store: Store, tx: Transaction, ref: TableRef, added: Schema) -> None:
    """Follows the table's schema. The caller holds the table's lock."""
    if added and exists(store, ref):
        tx.hold(lock_name(ref))
        for field in added:
            definition = f"{quoted(field.name)} {field.duckdb_type}"
            tx.execute(f"ALTER TABLE {ref.buffer} ADD COLUMN {definition}")


def relation(store: Store, ref: TableRef, fields: Schema) -> str:
    """A DuckDB FROM item: all rows of the table, those of the buffer last."""
    if not exists(store, ref):
        return ref.physical
    columns = ", ".join(quoted(f.name) for f in fields)
    both = f"SELECT {columns} FROM {ref.physical} UNION ALL SELECT {columns} FROM {ref.buffer}"
    return f"({both})"


def append(tx: Transaction, ref: TableRef, rows: pa.Table, now: datetime) -> None:
    """Adds rows whose columns are the table's. The caller holds the buffer's lock."""
    columns = ", ".join(quoted(name) for name in rows.column_names)
    tx.cursor.register("inserted_rows", rows)
    tx.execute(
        f"INSERT INTO {ref.buffer} ({columns}, {_INSERTED}) "
        f"SELECT *, {_instant(now)} FROM inserted_rows"
    )


def count(store: Store, ref: TableRef) -> int:
    """How many rows wait in the buffer."""
    if not exists(store, ref):
        return 0
    with store.reading() as cursor:
        [(rows,)] = cursor.execute(f"SELECT count(*) FROM {ref.buffer}").fetchall()
    return int(rows)


def describe(store: Store, ref: TableRef, row_bytes: str) -> Resource | None:
    """`streamingBuffer` of tables.get; None while it is empty. `row_bytes` is a SQL expression."""
    if not exists(store, ref):
        return None
    with store.reading() as cursor:
        [(rows, size, oldest)] = cursor.execute(
            f"SELECT count(*), coalesce(sum({row_bytes}), 0), epoch_ms(min({_INSERTED})) "
            f"FROM {ref.buffer}"
        ).fetchall()
    if not rows:
        return None
    return {
        "estimatedRows": str(rows),
        "estimatedBytes": str(size),
        "oldestEntryTime": str(oldest),
    }


def flush(store: Store, ref: TableRef, until: datetime) -> int:
    """Moves the rows that came until then into the table; answers how many."""
    with store.locked(ref):
        resource = store.get("table", str(ref))
        if resource is None or not exists(store, ref):
            return 0
        old = f"{_INSERTED} <= {_instant(until)}"
        with store.reading() as cursor:
            some = f"SELECT 1 FROM {ref.buffer} WHERE {old} LIMIT 1"
            waiting = cursor.execute(some).fetchall()
        if not waiting:
            return 0
        columns = ", ".join(quoted(f.name) for f in schema.parse(resource["schema"]))
        with store.transaction() as tx:
            moved = tx.count(
                f"INSERT INTO {ref.physical} ({columns}) "
                f"SELECT {columns} FROM {ref.buffer} WHERE {old}"
            )
            tx.execute(f"DELETE FROM {ref.buffer} WHERE {old}")
            tx.put("table", str(ref), rewritten(resource))
    return moved


def _instant(moment: datetime) -> str:
    micros = pa.scalar(moment, pa.timestamp("us", "UTC")).value
    return f"make_timestamptz({micros})"
