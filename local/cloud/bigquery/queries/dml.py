"""INSERT, UPDATE, DELETE and MERGE."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from local.cloud.bigquery import tables
from local.cloud.bigquery.errors import invalid_query, streaming_buffer_touched
from local.cloud.bigquery.jobs import Task
from local.cloud.bigquery.names import TableRef, literal
from local.cloud.bigquery.resources import rewritten
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.sql.names import Context, Resolver
from local.cloud.bigquery.sql.translation import Translation
from local.cloud.bigquery.store import Resource, Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import unsupported

_STATS = {
    "INSERT": "insertedRowCount",
    "UPDATE": "updatedRowCount",
    "DELETE": "deletedRowCount",
}


@dataclass(frozen=True)
class Change:
    """A translated statement: its kind, and the table whose rows it changes."""

    kind: str
    table: TableRef
    resource: Resource
    translated: Translation

    @property
    def statistics(self) -> dict[str, Any]:
        return {
            "statementType": self.kind,
            "cacheHit": False,
            "referencedTables": [table.to_json() for table in self.translated.referenced],
        }


def run(task: Task, store: Store, tree: exp.Expr, context: Context) -> None:
    """Changes rows of one table and counts them. Raises ApiError 400, 404 or 501."""
    ref = Resolver(store, context, translation.parse).ref(target(tree))
    with task.writing(ref) as tx:
        change = read(store, tree, context)
        for statement in change.translated.prelude:
            tx.execute(statement)
        counts = _execute(tx, change)
        tx.put("table", str(ref), rewritten(change.resource))
        statistics = {
            **change.statistics,
            "numDmlAffectedRows": str(sum(counts.values())),
            "dmlStats": {_STATS[action]: str(count) for action, count in counts.items()},
        }
        task.complete(tx, {"query": statistics}, ref.to_json())


def read(store: Store, tree: exp.Expr, context: Context) -> Change:
    """What a statement would do. Raises ApiError 400, 404 or 501; changes `tree`."""
    kind = tree.key.upper()
    if kind not in (*_STATS, "MERGE"):
        raise unsupported(f"the statement {kind}")
    if kind in ("UPDATE", "DELETE") and not tree.args.get("where"):
        raise invalid_query(f"{kind} must have a WHERE clause")
    ref = Resolver(store, context, translation.parse).ref(target(tree))
    resource = tables.get(store, ref)
    if resource["type"] == "VIEW":
        raise invalid_query(f"{kind} is not allowed on the view {ref}")
    tables.check_not_a_result(resource)
    _unqualify_assignments(tree)
    _name_inserted_columns(tree, tables.fields_of(resource))
    return Change(kind, ref, resource, translation.translate(store, tree, context))


def target(tree: exp.Expr) -> exp.Table:
    """The table that a statement changes, as it names it."""
    if isinstance(tree, exp.Delete) and tree.args.get("tables"):
        # `DELETE t` means `DELETE FROM t`.
        tree.set("this", tree.args["tables"][0])
        tree.set("tables", None)
    named = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(named, exp.Table):
        raise unsupported(f"{tree.key.upper()} of anything but a table")
    return named


def _unqualify_assignments(tree: exp.Expr) -> None:
    """`SET t.a = ...` names the column a of the target; DuckDB takes it without the table."""
    updates = [tree] if isinstance(tree, exp.Update) else list(tree.find_all(exp.Update))
    for update in updates:
        for assignment in update.expressions:
            if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
                assignment.this.set("table", None)


def _name_inserted_columns(tree: exp.Expr, fields: Schema) -> None:
    """INSERT without columns means all that clients may see."""
    columns = [exp.to_identifier(field.name, quoted=True) for field in fields]
    if isinstance(tree, exp.Insert) and not isinstance(tree.this, exp.Schema):
        tree.set("this", exp.Schema(this=tree.this, expressions=columns))
    for insert in tree.find_all(exp.Insert):
        if insert is not tree and not isinstance(insert.expression, exp.Tuple):
            raise unsupported("INSERT without column names in MERGE")


def _execute(tx: Transaction, change: Change) -> dict[str, int]:
    """Rows changed by kind of change. Raises ApiError 400 when one is in the streaming buffer."""
    kind, sql = change.kind, change.translated.sql
    if kind == "INSERT":
        return {kind: tx.count(sql)}
    action = "merge_action" if kind == "MERGE" else literal(kind)
    returning = f"RETURNING {action} AS action, {buffer.WAITING} AS waiting"
    changed: pa.Table = tx.cursor.sql(f"{sql} {returning}").to_arrow_table()
    if pc.any(changed["waiting"]).as_py():
        raise streaming_buffer_touched(kind, change.table)
    counts: Counter[str] = Counter(changed["action"].to_pylist())
    return {action: counts.get(action, 0) for action in _STATS if kind in (action, "MERGE")}
