"""Inserted rows to disk: checked against the table, freed of duplicates, committed in groups."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from local.cloud.bigquery import tables
from local.cloud.bigquery.names import TableRef, Target
from local.cloud.bigquery.store import Store
from local.cloud.bigquery.streaming import bounds, buffer, layout
from local.cloud.bigquery.streaming.columns import Problems, build
from local.cloud.bigquery.streaming.duplicates import SeenIds
from local.cloud.bigquery.streaming.layout import Layout
from local.cloud.bigquery.streaming.requests import InsertRequest
from local.cloud.faults.armed import reach
from local.cloud.http import ApiError


@dataclass
class _Batch:
    """The good rows of one request, on their way to disk."""

    layout: Layout
    rows: pa.Table
    ids: Sequence[str]
    done: bool = False
    error: BaseException | None = None


@dataclass
class _Line:
    """One table: the batches that wait for it, and the insertIds it has seen."""

    layout: Layout
    waiting: deque[_Batch] = field(default_factory=deque)
    seen: SeenIds = field(default_factory=SeenIds)


class Inserter:
    """Inserts into any table, for many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._lines: dict[TableRef, _Line] = {}

    def insert(self, target: Target, request: InsertRequest, problems: Problems) -> None:
        """Returns when the good rows are on disk; the problems of the others are added.

        One bad row stops all, unless the request skips invalid rows. Raises ApiError 400, 404.
        """
        line = self._line(target)
        current = line.layout
        rows, ids = _checked(current, target.table, request, problems)
        batch = _Batch(current, rows, ids)
        if batch.rows.num_rows:
            self._commit(target.table, line, batch)

    def _line(self, target: Target) -> _Line:
        """The table's line; a new one when another table has taken its name."""
        ref = target.table
        resource = tables.get(self._store, ref)
        layout.check_decorator(resource, target)
        with self._guard:
            line = self._lines.get(ref)
            if line is None or line.layout.created != resource["creationTime"]:
                line = self._lines[ref] = _Line(layout.read(resource))
            elif not line.layout.describes(resource):
                line.layout = layout.read(resource)
        return line

    def _commit(self, ref: TableRef, line: _Line, batch: _Batch) -> None:
        """Whoever gets the buffer's lock commits the batches of all who wait for it."""
        line.waiting.append(batch)
        with self._store.locked(buffer.lock_name(ref)):
            if not batch.done:
                self._commit_waiting(ref, line)
        if batch.error is not None:
            raise batch.error

    def _commit_waiting(self, ref: TableRef, line: _Line) -> None:
        group = [line.waiting.popleft() for _ in range(len(line.waiting))]
        try:
            resource = tables.get(self._store, ref)
            fitting = [batch for batch in group if batch.layout.describes(resource)]
            if fitting:
                self._write(ref, line, fitting)
            for batch in group:
                if batch not in fitting:
                    batch.error = ApiError(503, f"Table {ref} has just changed.", "backendError")
        except BaseException as error:
            for batch in group:
                batch.error = error
        for batch in group:
            batch.done = True

    def _write(self, ref: TableRef, line: _Line, group: Sequence[_Batch]) -> None:
        ids = [id_ for batch in group for id_ in batch.ids]
        rows = pa.concat_tables([batch.rows for batch in group])
        fresh = line.seen.new(ids, time.monotonic())
        if not all(fresh):
            rows = rows.filter(pa.array(fresh))
        reach("bigquery.insert.commit")
        if rows.num_rows:
            with self._store.transaction() as tx:
                buffer.append(tx, ref, rows, datetime.now(UTC))
        line.seen.remember(ids)


def _checked(
    layout: Layout, ref: TableRef, request: InsertRequest, problems: Problems
) -> tuple[pa.Table, Sequence[str]]:
    """The rows to insert and their ids; what keeps the others out is noted."""
    rows = build(layout.fields, request.rows, problems, ignore_unknown=request.ignore_unknown)
    if layout.partitioning:
        bounds.check(layout.partitioning, rows, datetime.now(UTC), ref, problems)
    if not problems.by_row:
        return rows, request.ids
    good = [i not in problems.by_row for i in range(len(request.rows))]
    if not request.skip_invalid:
        problems.stop(i for i, fine in enumerate(good) if fine)
        good = [False] * len(good)
    return rows.filter(pa.array(good)), list(itertools.compress(request.ids, good))
