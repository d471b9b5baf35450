"""The temporary tables that hold query results until they expire, as the service's do.

Their rows lie in files of their own: a table of DuckDB takes 256 KiB at the least, and thousands of
them make every checkpoint, for which inserts have to wait, take half a second.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from local.cloud.bigquery import datasets, schema, tables
from local.cloud.bigquery.names import DatasetRef, TableRef, literal
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.store import Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import ApiError

LIFETIME_MS = 24 * 60 * 60 * 1000
_PREFIX = "_results_"
_SUFFIX = ".parquet"
_SETTLED_S = 600
"""A file this old belongs to a query that has committed, or to none."""


def new_table(store: Store, project: str, location: str) -> TableRef:
    """Where a query without a destination writes: a table of its own in a hidden dataset."""
    dataset = DatasetRef(project, _PREFIX + location.lower().replace("-", "_"))
    if store.get("dataset", str(dataset)) is None:
        body = {"datasetReference": dataset.to_json(), "location": location}
        try:
            datasets.insert(store, project, {**body, "defaultTableExpirationMs": str(LIFETIME_MS)})
        except ApiError as error:
            if error.code != 409:
                raise
    return dataset.table(f"anon{secrets.token_hex(16)}")


def write(store: Store, tx: Transaction, ref: TableRef, fields: Schema, rows: str) -> int:
    """Creates the table from the rows of a DuckDB SELECT; answers how many there are."""
    resource = tables.build(store, ref, {"schema": schema.to_json(fields)})
    path = _folder(store) / f"{ref.table}{_SUFFIX}"
    path.parent.mkdir(exist_ok=True)
    file = literal(str(path))
    count = tx.count(f"COPY ({rows}) TO {file} (FORMAT parquet)")
    stored = f"SELECT *, NULL::TIMESTAMPTZ AS {buffer.INSERTED} FROM read_parquet({file})"
    tx.execute(f"CREATE VIEW {ref.physical} AS {stored}")
    tx.put("table", str(ref), {**resource, tables.IN_FILE: True})
    return count


def sweep(store: Store) -> None:
    """Deletes the files of tables that are gone, or that never came to be."""
    held = {resource["tableReference"]["tableId"] for resource in store.all("table").values()}
    for path in _folder(store).glob(f"*{_SUFFIX}"):
        if path.stem not in held and path.stat().st_mtime < time.time() - _SETTLED_S:
            path.unlink()


def _folder(store: Store) -> Path:
    return store.folder / "results"
