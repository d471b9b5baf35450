"""Rows that have stood in a streaming buffer long enough move on into their table."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.store import Store
from local.cloud.bigquery.streaming import buffer

log = logging.getLogger(__name__)

# Often, so that each time there is little to move and inserts hardly notice.
INTERVAL_S = 1.0


class Flusher:
    """Moves rows once they are `after_s` seconds old."""

    def __init__(self, store: Store, after_s: float) -> None:
        self._store = store
        self._after = timedelta(seconds=after_s)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="bigquery-flush", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            for resource in self._store.all(buffer.KIND).values():
                try:
                    buffer.flush(self._store, table_of(resource), datetime.now(UTC) - self._after)
                except Exception:
                    log.exception("a streaming buffer was not flushed; it is tried again")
