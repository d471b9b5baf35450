"""What expires is deleted: whole tables at their expirationTime, partitions by expirationMs."""

from __future__ import annotations

import logging
import threading

from local.cloud.bigquery import tables
from local.cloud.bigquery.queries import results
from local.cloud.bigquery.resources import now_ms, rewritten, table_of
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer

log = logging.getLogger(__name__)

INTERVAL_S = 60.0


def sweep(store: Store, now: int) -> None:
    """Deletes what has expired at `now`, in milliseconds since the epoch."""
    for resource in store.all("table").values():
        if 0 < int(resource.get("expirationTime") or 0) <= now:
            _drop(store, resource)
        elif int((resource.get("timePartitioning") or {}).get("expirationMs") or 0):
            _drop_partitions(store, resource, now)
    results.sweep(store)


def _drop(store: Store, resource: Resource) -> None:
    ref = table_of(resource)
    with store.locked(ref), store.transaction() as tx:
        if store.get("table", str(ref)) == resource:
            tables.drop(tx, resource)


def _drop_partitions(store: Store, resource: Resource, now: int) -> None:
    """A partition expires its time after its own start, whenever its rows came."""
    ref = table_of(resource)
    with store.locked(ref):
        resource = tables.get(store, ref)
        partitioning = tables.partitioning_of(resource)
        lifetime = int((resource.get("timePartitioning") or {}).get("expirationMs") or 0)
        if partitioning is None or not lifetime:
            return
        old = partitioning.started_before(now - lifetime)
        old = f"{old} AND NOT {buffer.WAITING}"
        with store.reading() as cursor:
            found = cursor.execute(f"SELECT 1 FROM {ref.physical} WHERE {old} LIMIT 1").fetchall()
        if found:
            with store.transaction() as tx:
                tx.execute(f"DELETE FROM {ref.physical} WHERE {old}")
                tx.put("table", str(ref), rewritten(resource))


class Sweeper:
    """Sweeps at the start and every minute."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="bigquery-expiry", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                sweep(self._store, int(now_ms()))
            except Exception:
                log.exception("the sweep of expired tables failed; it is tried again")
            if self._stop.wait(INTERVAL_S):
                return
