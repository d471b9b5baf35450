"""Scripts: several statements in one query job, transactions among them.

Each statement, or all of a transaction's, commit together with the child jobs that tell of them and
with how far the script has come: a script that a crash interrupts goes on behind its last commit.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from local.cloud.bigquery.errors import invalid_query
from local.cloud.bigquery.jobs import Execution
from local.cloud.bigquery.names import TableRef
from local.cloud.bigquery.queries import dml, positions, results, statements
from local.cloud.bigquery.resources import now_ms
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.sql.names import Context, Resolver
from local.cloud.bigquery.store import Resource, Store, Transaction
from local.cloud.http import unsupported

_IN_TRANSACTIONS = (exp.Query, exp.DML, exp.TruncateTable)
_PROGRESS = "script"


class _RolledBack(Exception):
    """The script gave up its transaction."""


@dataclass(frozen=True)
class Block:
    """Statements that commit together, by their positions in the script."""

    statements: tuple[tuple[int, exp.Expr], ...]
    rolled_back: bool = False


def blocks(trees: Sequence[exp.Expr]) -> list[Block]:
    """A script's statements by transaction; one without COMMIT is rolled back, as by ROLLBACK.

    Raises ApiError 400 for a transaction in a transaction, an end without a beginning, and DDL in
    one; 501 for the procedural language.
    """
    found: list[Block] = []
    inside: list[tuple[int, exp.Expr]] | None = None
    for position, tree in enumerate(trees):
        if _begins(tree):
            if inside is not None:
                raise invalid_query("Nested transactions are not supported")
            inside = []
        elif isinstance(tree, exp.Commit | exp.Rollback):
            if inside is None:
                raise invalid_query(f"There is no transaction to end by {tree.key.upper()}")
            found.append(Block(tuple(inside), isinstance(tree, exp.Rollback)))
            inside = None
        elif isinstance(tree, exp.Command | exp.Declare | exp.Set | exp.EndStatement):
            raise unsupported(f"the statement {tree.sql('bigquery')[:60]} in scripts")
        elif inside is None:
            found.append(Block(((position, tree),)))
        elif isinstance(tree, _IN_TRANSACTIONS):
            inside.append((position, tree))
        else:
            raise invalid_query(f"{tree.key.upper()} is not allowed in a transaction")
    if inside is not None:
        found.append(Block(tuple(inside), rolled_back=True))
    return found


def _begins(tree: exp.Expr) -> bool:
    bare = isinstance(tree, exp.Command) and not tree.expression
    return isinstance(tree, exp.Transaction) or (bare and str(tree.this).upper() == "BEGIN")


def run(execution: Execution, store: Store, trees: Sequence[exp.Expr], context: Context) -> None:
    """Runs prepared statements in turn. The job's result is that of the last SELECT."""
    # Where results go must exist before a transaction holds any table.
    results.new_table(store, context.project, context.location)
    frames = positions.frames(execution.configuration["query"]["query"])
    progress = execution.record.get(_PROGRESS) or {"done": 0, "children": 0, "last": {}}
    for number, block in enumerate(blocks(trees)):
        if number >= progress["done"]:
            told = _Told(execution, frames, {**progress, "done": number + 1})
            progress = _run_block(told, store, block, context)
    last = progress["last"]
    said = {**last.get("statistics", {}), "statementType": "SCRIPT", "cacheHit": False}
    with execution.writing() as tx:
        statistics = {"query": said, "numChildJobs": str(progress["children"])}
        execution.complete(tx, statistics, last.get("destination"), last.get("private"))


def _run_block(told: _Told, store: Store, block: Block, context: Context) -> Resource:
    """Answers how far the script has come then."""
    before = told.progress
    names = {_written(store, tree, context) for _, tree in block.statements} - {None}
    try:
        with told.execution.writing(*names) as tx:
            for position, tree in block.statements:
                # Child jobs are put in order by the milliseconds at which they began.
                time.sleep(0.001)
                statement = _Statement(told, tx, position)
                statements.run(statement, store, tree, context, None)
            if block.rolled_back:
                raise _RolledBack
            told.execution.advance(tx, {_PROGRESS: told.progress})
            return told.progress
    except _RolledBack:
        return before


def _written(store: Store, tree: exp.Expr, context: Context) -> TableRef | None:
    """The table that a statement of a transaction changes."""
    resolver = Resolver(store, context, translation.parse)
    if isinstance(tree, exp.DML):
        return resolver.ref(dml.target(tree))
    if isinstance(tree, exp.TruncateTable):
        return resolver.ref(tree.expressions[0])
    return None


@dataclass
class _Told:
    """A script, and what its statements have told so far."""

    execution: Execution
    frames: Sequence[Resource]
    progress: Resource


@dataclass
class _Statement:
    """A statement of a script as a task of its own, which becomes a child job."""

    told: _Told
    tx: Transaction
    position: int
    started: str = field(default_factory=now_ms)

    @contextmanager
    def writing(self, *names: object) -> Iterator[Transaction]:
        for name in sorted(set(names), key=str):
            self.tx.hold(name)
        yield self.tx

    def complete(
        self,
        tx: Transaction,
        statistics: Mapping[str, Any],
        destination: Mapping[str, Any] | None = None,
        private: Mapping[str, Any] | None = None,
    ) -> None:
        record = self._child(statistics, destination, private)
        tx.put("job", record["resource"]["id"], record)
        progress = {**self.told.progress, "children": self.told.progress["children"] + 1}
        if "schema" in statistics["query"]:
            kept = {"statistics": statistics["query"], "destination": destination}
            progress["last"] = {**kept, "private": private}
        self.told.progress = progress

    def _child(
        self,
        statistics: Mapping[str, Any],
        destination: Mapping[str, Any] | None,
        private: Mapping[str, Any] | None,
    ) -> Resource:
        parent = self.told.execution.resource
        reference = parent["jobReference"]
        digest = hashlib.sha256(parent["id"].encode()).hexdigest()[:32]
        job_id = f"script_job_{digest}_{self.position}"
        frame = self.told.frames[self.position]
        query = {"query": frame["text"], "useLegacySql": False, "destinationTable": destination}
        script = {"evaluationKind": "STATEMENT", "stackFrames": [frame]}
        times = {"creationTime": self.started, "startTime": self.started, "endTime": now_ms()}
        resource = {
            **parent,
            "id": f"{reference['projectId']}:{reference['location']}.{job_id}",
            "etag": secrets.token_urlsafe(16),
            "selfLink": parent["selfLink"].replace(reference["jobId"], job_id),
            "jobReference": {**reference, "jobId": job_id},
            "configuration": {"jobType": "QUERY", "query": query},
            "status": {"state": "DONE"},
            "statistics": {
                **times,
                **statistics,
                "parentJobId": reference["jobId"],
                "scriptStatistics": script,
            },
        }
        return {**(private or {}), "resource": resource}
