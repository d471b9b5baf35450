"""One statement of a query job: SELECT, DML or DDL."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from local.cloud.bigquery import result_types, schema, writes
from local.cloud.bigquery.jobs import Task
from local.cloud.bigquery.names import TableRef
from local.cloud.bigquery.queries import ddl, dml, results
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.sql.names import Context
from local.cloud.bigquery.store import Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.bigquery.writes import Source, Write


def run(task: Task, store: Store, tree: exp.Expr, context: Context, write: Write | None) -> None:
    """Runs a prepared statement; a SELECT's rows go where `write` says, or to a hidden table."""
    if isinstance(tree, exp.Query):
        _run_select(task, store, tree, context, write)
    elif isinstance(tree, exp.DML):
        dml.run(task, store, tree, context)
    else:
        ddl.run(task, store, tree, context)


def bind(tx: Transaction, translated: translation.Translation) -> Schema:
    """The columns of a translated query's result."""
    for statement in translated.prelude:
        tx.execute(statement)
    return result_types.fields_of(tx.cursor.sql(translated.sql))


def statistics(kind: str, referenced: tuple[TableRef, ...]) -> dict[str, Any]:
    return {
        "statementType": kind,
        "cacheHit": False,
        "referencedTables": [ref.to_json() for ref in referenced],
    }


def _run_select(
    task: Task, store: Store, tree: exp.Query, context: Context, write: Write | None
) -> None:
    if write:
        ref = write.destination.table
    else:
        ref = results.new_table(store, context.project, context.location)
    with task.writing(ref) as tx:
        resource = writes.existing(store, write, context.location) if write else None
        if resource is not None:
            # The result is found again by its place in the table: nothing may come in between.
            tx.hold(buffer.lock_name(ref))
        translated = translation.translate(store, tree, context)
        fields = bind(tx, translated)
        source = Source(fields, f"({translated.sql}) AS result", typed=True)
        if write:
            rows = writes.write_rows(store, tx, write, source, resource)
            held = tx.count(f"SELECT count(*) FROM {ref.physical}")
        else:
            selected, _ = writes.projection(source, fields)
            rows = held = results.write(store, tx, ref, fields, selected)
        written = {
            "start": held - rows,
            "rows": rows,
            "revision": tx.written("table", str(ref))["revision"],
        }
        said = {**statistics("SELECT", translated.referenced), "schema": schema.to_json(fields)}
        task.complete(tx, {"query": said}, ref.to_json(), {"result": written})
