"""The streaming buffer: the rows of a table that were inserted during the last minutes.

They are stored among the others, each with the time it came in a column that no client sees.
Queries read them like any row; loads into a partition, deletions of a partition, DML and row counts
leave them alone until they are old enough, as in the service.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from local.cloud.bigquery.names import TableRef, quoted
from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.store import Store, Transaction

# No column of a table can have such a name. Rows that were not streamed hold NULL.
INSERTED = quoted(" inserted")
COLUMN = f"{INSERTED} TIMESTAMP WITH TIME ZONE"
WAITING = f"main.bq_in_buffer({INSERTED})"
"""A DuckDB condition: the row is in the streaming buffer. Never NULL."""
PARTITION = "__UNPARTITIONED__"
"""The partition that such rows are in."""


def macros(after_s: float) -> str:
    """DuckDB SQL that says how long rows stay in the buffer."""
    micros = round(after_s * 1_000_000)
    return (
        "CREATE OR REPLACE MACRO main.bq_in_buffer(inserted) AS "
        f"coalesce(inserted > now() - to_microseconds({micros}), false);"
    )


def lock_name(ref: TableRef) -> tuple[str, str]:
    """What an insert holds, and what changes a table's columns or drops it.

    It is not the table's lock, so that inserts go on while a job writes to the table.
    """
    return ("inserts", str(ref))


def prepare(store: Store) -> None:
    """Gives tables of earlier versions the column they lack."""
    with store.transaction() as tx:
        found = tx.execute(
            "SELECT table_schema, table_name FROM information_schema.columns "
            "GROUP BY ALL HAVING NOT list_contains(list(column_name), ' inserted')"
        ).fetchall()
        stored = set(found)
        for resource in store.all("table").values():
            ref = table_of(resource)
            if (ref.in_dataset.schema_name, ref.table) in stored:
                tx.execute(f"ALTER TABLE {ref.physical} ADD COLUMN {COLUMN}")


def append(tx: Transaction, ref: TableRef, rows: pa.Table, now: datetime) -> None:
    """Adds rows whose columns are the table's. The caller holds `lock_name(ref)`."""
    columns = ", ".join(quoted(name) for name in rows.column_names)
    micros = pa.scalar(now, pa.timestamp("us", "UTC")).value
    # DuckDB finds `rows` in this frame, which costs it less than a table to be registered.
    tx.cursor.execute(
        f"INSERT INTO {ref.physical} ({columns}, {INSERTED}) "
        f"SELECT *, make_timestamptz({micros}) FROM rows"
    )
