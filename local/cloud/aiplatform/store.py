"""All resources, on disk: JSON documents in SQLite, so that kill -9 loses nothing acknowledged."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from local.cloud.aiplatform.documents import Document
from local.cloud.aiplatform.names import within

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_parent ON documents (kind, parent);
"""


class Store:
    """Safe for many threads; a transaction holds the others off."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done within is kept, or nothing; one within another belongs to it."""
        with self._lock:
            if self._database.in_transaction:
                yield
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def delete_below(self, name: str) -> None:
        """All that belongs to a resource, but for the operations on it."""
        self.execute("DELETE FROM documents WHERE parent = ? AND kind != 'operation'", (name,))

    def execute(self, statement: str, parameters: tuple[str, ...]) -> list[tuple[str, ...]]:
        with self._lock:
            return self._database.execute(statement, parameters).fetchall()


class Named(Document):
    """A document with the name of its resource."""

    name: str


N = TypeVar("N", bound=Named)


class Collection(Generic[N]):
    """The documents of one kind, by name."""

    def __init__(self, store: Store, kind: str, of: type[N]) -> None:
        self._store = store
        self._kind = kind
        self._of = of

    def find(self, name: str) -> N | None:
        statement = "SELECT body FROM documents WHERE kind = ? AND name = ?"
        rows = self._store.execute(statement, (self._kind, name))
        return self._of.model_validate_json(rows[0][0]) if rows else None

    def put(self, document: N) -> None:
        statement = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)"
        row = (self._kind, document.name, within(document.name), document.model_dump_json())
        self._store.execute(statement, row)

    def delete(self, name: str) -> None:
        self._store.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (self._kind, name))

    def all(self, parent: str | None = None) -> list[N]:
        """Those that belong to a resource, or all there are; in the order of their names."""
        statement = "SELECT body FROM documents WHERE kind = ?"
        parameters: tuple[str, ...] = (self._kind,)
        if parent is not None:
            statement, parameters = statement + " AND parent = ?", (*parameters, parent)
        rows = self._store.execute(statement + " ORDER BY name", parameters)
        return [self._of.model_validate_json(body) for (body,) in rows]
