"""What exists, in one SQLite file: a committed row is the moment an object comes to be."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, metageneration INTEGER NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, fields TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL REFERENCES buckets (name), name TEXT NOT NULL,
    generation INTEGER NOT NULL, metageneration INTEGER NOT NULL,
    size INTEGER NOT NULL, path TEXT NOT NULL, crc32c TEXT NOT NULL, md5 TEXT,
    content_type TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    metadata TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL,
    attributes TEXT NOT NULL, preconditions TEXT NOT NULL, checksums TEXT NOT NULL,
    path TEXT NOT NULL, started INTEGER NOT NULL, generation INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retired (path TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""


class Catalog:
    """A thread-safe SQLite connection; transactions are short and one at a time."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # In WAL mode a commit survives the process; NORMAL forces the disk at checkpoints only.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, alone; nothing is written when the body raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, *parameters: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def row(self, query: str, *parameters: Any) -> sqlite3.Row | None:
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(query, parameters).fetchone()
            return row

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def micros(time: datetime) -> int:
    """Microseconds since 1970, as times are kept in the catalog."""
    return round(time.timestamp() * 1_000_000)


def moment(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1_000_000, UTC)


def dump(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
