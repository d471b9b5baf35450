"""One DuckDB file: the rows of all tables, and a journal of every resource.

Resources (datasets, tables, jobs) are JSON documents kept in memory. A transaction appends what it
changes to the journal, so that a table's rows, its metadata and the job that wrote them become
durable together or not at all; opening the file replays the journal.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from local.cloud.background import giving_way
from local.cloud.bigquery.names import literal

Resource = dict[str, Any]
_JOURNAL = """
CREATE TABLE IF NOT EXISTS main.journal (seq BIGINT, kind VARCHAR, key VARCHAR, resource VARCHAR)
"""
_USE = "USE bigquery"
# A checkpoint, for which all writers wait, rewrites the last row group of each table that grew:
# small ones, often, take 20 ms each; with DuckDB's defaults some take half a second.
_CHECKPOINT_AFTER = "4MB"
_ROW_GROUP = 8_192


class Transaction:
    """A write in progress. Nothing of it is visible before it commits."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, hold: Callable[[object], None]) -> None:
        self.cursor = cursor
        self.changes: list[tuple[str, str, Resource | None]] = []
        self.hold = hold
        """Locks one more name until the transaction has ended."""

    def execute(self, sql: str, parameters: list[Any] | None = None) -> duckdb.DuckDBPyConnection:
        return self.cursor.execute(sql, parameters)

    def count(self, sql: str) -> int:
        """Runs a statement whose answer is one number."""
        rows = self.cursor.execute(sql).fetchall()
        return int(rows[0][0]) if rows else 0

    def written(self, kind: str, key: str) -> Resource:
        """What this transaction has put last."""
        return [r for k, name, r in self.changes if (k, name) == (kind, key)][-1] or {}

    def put(self, kind: str, key: str, resource: Resource) -> None:
        self.changes.append((kind, key, resource))

    def remove(self, kind: str, key: str) -> None:
        self.changes.append((kind, key, None))


class Store:
    """Tables and resources of all projects. Safe for many threads; `get` and `all` never wait."""

    def __init__(self, path: Path, macros: str) -> None:
        self._path = path
        self.macros = macros
        self._guard = threading.Lock()
        self._resources: dict[str, dict[str, Resource]] = {}
        self._spellings: dict[tuple[str, str], str] = {}
        self._locks: dict[object, threading.RLock] = {}
        self._seq = 0

    @property
    def folder(self) -> Path:
        """Where the file lies; what else belongs to the tables has its place beside it."""
        return self._path.parent

    def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # DuckDB's own threads have the priority of the one that starts them.
        self._connection = giving_way(duckdb.connect)
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute(f"SET GLOBAL checkpoint_threshold = '{_CHECKPOINT_AFTER}'")
        self._connection.execute(
            f"ATTACH {literal(str(self._path))} AS bigquery (ROW_GROUP_SIZE {_ROW_GROUP})"
        )
        self._connection.execute(_USE)
        self._connection.execute(_JOURNAL)
        self._connection.execute(self.macros)
        self._replay()

    def close(self) -> None:
        self._connection.close()

    def get(self, kind: str, key: str) -> Resource | None:
        """A resource as last committed; callers treat it as read-only."""
        return self._resources.get(kind, {}).get(key)

    def spelled(self, kind: str, key: str) -> str | None:
        """The key of the resource with that name, upper and lower case being the same."""
        return self._spellings.get((kind, key.lower()))

    def all(self, kind: str) -> dict[str, Resource]:
        """All resources of a kind by key, in the order they were created."""
        return dict(self._resources.get(kind, {}))

    @contextmanager
    def locked(self, *names: object) -> Iterator[None]:
        """Holds writers of the named tables or datasets apart; readers never wait."""
        with ExitStack() as stack:
            for name in sorted(set(names), key=str):
                with self._guard:
                    lock = self._locks.setdefault(name, threading.RLock())
                stack.enter_context(lock)
            yield

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that sees one moment of all tables."""
        with closing(self._cursor()) as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield cursor

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commits rows and resources together when the block ends, or nothing when it raises."""
        with ExitStack() as stack:
            cursor = stack.enter_context(closing(self._cursor()))
            cursor.execute("BEGIN TRANSACTION")
            transaction = Transaction(cursor, lambda name: stack.enter_context(self.locked(name)))
            yield transaction
            if not transaction.changes:
                cursor.execute("COMMIT")
                return
            with self._guard:
                self._journal(transaction)
                cursor.execute("COMMIT")
                self._apply(transaction.changes)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        cursor.execute(_USE)
        return cursor

    def _journal(self, transaction: Transaction) -> None:
        for kind, key, resource in transaction.changes:
            self._seq += 1
            transaction.execute(
                "INSERT INTO main.journal VALUES (?, ?, ?, ?)",
                [self._seq, kind, key, None if resource is None else json.dumps(resource)],
            )

    def _apply(self, changes: list[tuple[str, str, Resource | None]]) -> None:
        for kind, key, resource in changes:
            kept = self._resources.setdefault(kind, {})
            if resource is None:
                kept.pop(key, None)
                self._spellings.pop((kind, key.lower()), None)
            else:
                kept[key] = resource
                self._spellings[kind, key.lower()] = key

    def _replay(self) -> None:
        """Rebuilds the resources, and leaves one journal line for each."""
        rows = self._connection.execute(
            "SELECT seq, kind, key, resource FROM main.journal ORDER BY seq"
        ).fetchall()
        for seq, kind, key, resource in rows:
            self._apply([(kind, key, None if resource is None else json.loads(resource))])
            self._seq = seq
        alive = sum(len(kept) for kept in self._resources.values())
        if len(rows) > 2 * alive + 1000:
            self._connection.execute(
                "DELETE FROM main.journal j WHERE resource IS NULL OR seq < "
                "(SELECT max(seq) FROM main.journal k WHERE k.kind = j.kind AND k.key = j.key)"
            )
