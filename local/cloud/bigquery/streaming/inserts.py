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
from local.cloud.bigquery.resources import table_of
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import bounds, buffer
from local.cloud.bigquery.streaming.columns import Problems, build
from local.cloud.bigquery.streaming.duplicates import SeenIds
from local.cloud.bigquery.streaming.requests import InsertRequest
from local.cloud.http import ApiError


@dataclass
class _Batch:
    """The good rows of one request, on their way to disk."""

    fields: Schema
    rows: pa.Table
    ids: Sequence[str]
    done: bool = False
    error: BaseException | None = None


@dataclass
class _Line:
    """The batches that wait for one table, and the insertIds it has seen."""

    waiting: deque[_Batch] = field(default_factory=deque)
    seen: SeenIds = field(default_factory=SeenIds)
    created: str = ""


class Inserter:
    """Inserts into any table, for many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._lines: dict[TableRef, _Line] = {}

    def insert(self, target: Target, request: InsertRequest) -> Problems:
        """Returns when the good rows are on disk, with the problems of the others.

        One bad row stops all, unless the request skips invalid rows. Raises ApiError 400, 404.
        """
        resource = _writable(self._store, target)
        fields = tables.fields_of(resource)
        problems = Problems()
        rows = build(fields, request.rows, problems, ignore_unknown=request.ignore_unknown)
        if partitioning := tables.partitioning_of(resource):
            bounds.check(partitioning, rows, datetime.now(UTC), resource["id"], problems)
        ids: Sequence[str] = request.ids
        if problems.by_row:
            good = [i not in problems.by_row for i in range(len(ids))]
            if not request.skip_invalid or not any(good):
                _stop_others(problems, good)
                return problems
            rows, ids = rows.filter(pa.array(good)), list(itertools.compress(ids, good))
        self._commit(table_of(resource), _Batch(fields, rows, ids))
        return problems

    def _commit(self, ref: TableRef, batch: _Batch) -> None:
        """Whoever gets the buffer's lock commits the batches of all who wait for it."""
        with self._guard:
            line = self._lines.setdefault(ref, _Line())
        if not buffer.exists(self._store, ref):
            buffer.create(self._store, ref)
        line.waiting.append(batch)
        with self._store.locked(buffer.lock_name(ref)):
            if not batch.done:
                self._commit_all(ref, line)
        if batch.error is not None:
            raise batch.error

    def _commit_all(self, ref: TableRef, line: _Line) -> None:
        group = [line.waiting.popleft() for _ in range(len(line.waiting))]
        try:
            resource = tables.get(self._store, ref)
            if line.created != resource["creationTime"]:
                # Another table of the same name has seen other ids.
                line.seen, line.created = SeenIds(), resource["creationTime"]
            fields = tables.fields_of(resource)
            fitting = []
            for batch in group:
                if batch.fields == fields:
                    fitting.append(batch)
                else:
                    batch.error = ApiError(503, f"{ref} has just changed", "backendError")
            self._write(ref, line, fitting)
        except BaseException as error:
            for batch in group:
                batch.error = batch.error or error
        finally:
            for batch in group:
                batch.done = True

    def _write(self, ref: TableRef, line: _Line, group: list[_Batch]) -> None:
        ids = [id_ for batch in group for id_ in batch.ids]
        rows = pa.concat_tables([batch.rows for batch in group])
        fresh = line.seen.new(ids, time.monotonic())
        if not all(fresh):
            rows = rows.filter(pa.array(fresh))
        if rows.num_rows:
            with self._store.transaction() as tx:
                buffer.append(tx, ref, rows, datetime.now(UTC))
        line.seen.remember(ids)


def _writable(store: Store, target: Target) -> Resource:
    ref = target.table
    resource = tables.get(store, ref)
    if resource["type"] == "VIEW":
        raise ApiError(400, "Cannot add rows to a table of type VIEW.")
    if target.partition and resource.get("timePartitioning"):
        name = f"{ref}${target.partition}"
        raise ApiError(
            400,
            f"Streaming to metadata partition of column based partitioning table {name} is "
            "disallowed.",
        )
    if target.partition:
        raise ApiError(400, f"Table {ref} is not partitioned")
    if not resource["schema"]["fields"]:
        raise ApiError(400, f"The destination table {ref} has no schema.")
    return resource


def _stop_others(problems: Problems, good: Sequence[bool]) -> None:
    for i, fine in enumerate(good):
        if fine:
            problems.add(i, "", "", reason="stopped")
