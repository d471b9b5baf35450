"""CREATE, ALTER and DROP of tables and views, TRUNCATE TABLE."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from local.cloud.bigquery import result_types, schema, tables, writes
from local.cloud.bigquery.errors import already_exists, invalid_query, streaming_buffer_touched
from local.cloud.bigquery.jobs import Task
from local.cloud.bigquery.names import TableRef, Target
from local.cloud.bigquery.queries import alter, columns, options
from local.cloud.bigquery.resources import rewritten
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.sql.names import Context, Resolver
from local.cloud.bigquery.store import Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.bigquery.writes import Source, Write
from local.cloud.http import unsupported

_CREATE_PARTS = {"this", "kind", "expression", "properties", "replace", "exists"}
_DROP_PARTS = {"this", "tables", "kind", "exists"}
_GRANULARITIES = {"HOUR", "DAY", "MONTH", "YEAR"}


def run(task: Task, store: Store, tree: exp.Expr, context: Context) -> None:
    """Changes the catalogue. Raises ApiError 404, 409, or 501 for the rest of DDL."""
    if isinstance(tree, exp.Create):
        _refuse_parts(tree, _CREATE_PARTS)
        _create(task, store, tree, context)
    elif isinstance(tree, exp.Drop):
        _refuse_parts(tree, _DROP_PARTS)
        _drop(task, store, tree, context)
    elif isinstance(tree, exp.Alter):
        _alter(task, store, tree, context)
    elif isinstance(tree, exp.TruncateTable):
        _truncate(task, store, tree, context)
    else:
        raise unsupported(f"the statement {tree.sql('bigquery')[:60]}")


def _refuse_parts(tree: exp.Expr, known: set[str]) -> None:
    for part, value in tree.args.items():
        if value and part not in known:
            raise unsupported(f"{part} in {tree.key.upper()}")


def _create(task: Task, store: Store, tree: exp.Create, context: Context) -> None:
    kind = str(tree.kind).upper()
    if kind not in ("TABLE", "VIEW"):
        raise unsupported(f"CREATE {kind}")
    named = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    ref = Resolver(store, context, translation.parse).ref(named)
    with task.writing(ref.in_dataset, ref) as tx:
        old = store.get("table", str(ref))
        done = "REPLACE" if old else "CREATE"
        if old is not None and tree.args.get("exists"):
            done = "SKIP"
        elif old is not None and not tree.args.get("replace"):
            raise already_exists("Table", ref)
        else:
            if old is not None:
                tables.drop(tx, old)
            _create_new(store, tx, tree, ref, context)
        with_rows = kind == "TABLE" and tree.expression
        _complete(task, tx, f"CREATE_{kind}{'_AS_SELECT' if with_rows else ''}", done, ref)


def _create_new(
    store: Store, tx: Transaction, tree: exp.Create, ref: TableRef, context: Context
) -> None:
    """Creates the table or view in the transaction, with the rows of AS SELECT."""
    body = _layout(tx, tree)
    if str(tree.kind).upper() == "VIEW":
        if isinstance(tree.this, exp.Schema):
            raise unsupported("column names in CREATE VIEW")
        text = tree.expression.sql("bigquery")
        fields = _bound(store, tx, tree.expression, context)[0]
        body |= {"view": {"query": text}, "schema": schema.to_json(fields)}
        tables.create(store, tx, tables.build(store, ref, body), replacing=True)
        return
    declared = _columns(tree.this) if isinstance(tree.this, exp.Schema) else ()
    if tree.expression is None:
        body["schema"] = schema.to_json(declared)
        tables.create(store, tx, tables.build(store, ref, body), replacing=True)
        return
    fields, sql = _bound(store, tx, tree.expression, context)
    resource = tables.build(store, ref, {**body, "schema": schema.to_json(declared or fields)})
    tables.create(store, tx, resource, replacing=True)
    write = Write(Target(ref), "WRITE_APPEND", "CREATE_NEVER", False, False, {}, declared or None)
    writes.write_rows(store, tx, write, Source(fields, f"({sql}) AS result", typed=True), resource)


def _bound(store: Store, tx: Transaction, query: exp.Expr, context: Context) -> tuple[Schema, str]:
    prepared = translation.prepare(query.copy(), None, [])
    translated = translation.translate(store, prepared, context)
    for statement in translated.prelude:
        tx.execute(statement)
    return result_types.fields_of(tx.cursor.sql(translated.sql)), translated.sql


def _columns(node: exp.Schema) -> Schema:
    return schema.parse({"fields": [columns.field(column) for column in node.expressions]})


def _layout(tx: Transaction, tree: exp.Create) -> dict[str, Any]:
    """PARTITION BY, CLUSTER BY and OPTIONS as a table resource has them."""
    body: dict[str, Any] = {}
    settings = []
    for item in (tree.args.get("properties") or exp.Properties(expressions=[])).expressions:
        if isinstance(item, exp.PartitionedByProperty):
            body["timePartitioning"] = _partitioning(item.this)
        elif isinstance(item, exp.ClusterProperty):
            body["clustering"] = {"fields": [column.name for column in item.expressions]}
        elif type(item) is exp.Property:
            settings.append(item)
        else:
            raise unsupported(f"{item.sql('bigquery')} in CREATE")
    return body | options.of_table(tx, settings, body)


def _partitioning(by: exp.Expr) -> dict[str, Any]:
    if isinstance(by, exp.Schema | exp.Tuple) and len(by.expressions) == 1:
        by = by.expressions[0]
    if isinstance(by, exp.Column | exp.Identifier):
        return {"type": "DAY", "field": by.name}
    unit = by.text("unit").upper() or "DAY"
    truncates = isinstance(by, exp.Date | exp.DateTrunc | exp.TimestampTrunc | exp.DatetimeTrunc)
    if truncates and unit in _GRANULARITIES and isinstance(by.this, exp.Column):
        return {"type": unit, "field": by.this.name}
    raise unsupported(f"PARTITION BY {by.sql('bigquery')}")


def _drop(task: Task, store: Store, tree: exp.Drop, context: Context) -> None:
    kind = str(tree.args.get("kind")).upper()
    if kind not in ("TABLE", "VIEW"):
        raise unsupported(f"DROP {kind}")
    named = tree.args.get("tables") or [tree.this]
    if len(named) > 1:
        raise unsupported("DROP of several tables")
    ref = Resolver(store, context, translation.parse).ref(named[0])
    with task.writing(ref) as tx:
        missing = store.get("table", str(ref)) is None and tree.args.get("exists")
        if not missing:
            tables.drop(tx, tables.get(store, ref))
        _complete(task, tx, f"DROP_{kind}", "SKIP" if missing else "DROP", ref)


def _alter(task: Task, store: Store, tree: exp.Alter, context: Context) -> None:
    kind = str(tree.args.get("kind")).upper()
    if kind not in ("TABLE", "VIEW"):
        raise unsupported(f"ALTER {kind}")
    ref = Resolver(store, context, translation.parse).ref(tree.this)
    with task.writing(ref) as tx:
        missing = store.get("table", str(ref)) is None and tree.args.get("exists")
        if not missing:
            resource = tables.get(store, ref)
            if (resource["type"] == "VIEW") != (kind == "VIEW"):
                raise invalid_query(f"{ref} is not a {kind.lower()}: it is a {resource['type']}")
            tx.put("table", str(ref), alter.changed(tx, tree, resource))
        _complete(task, tx, f"ALTER_{kind}", "SKIP" if missing else "ALTER", ref)


def _truncate(task: Task, store: Store, tree: exp.TruncateTable, context: Context) -> None:
    ref = Resolver(store, context, translation.parse).ref(tree.expressions[0])
    with task.writing(ref) as tx:
        resource = tables.get(store, ref)
        if tx.count(f"SELECT count(*) FROM {ref.physical} WHERE {buffer.WAITING}"):
            raise streaming_buffer_touched("TRUNCATE TABLE", ref)
        count = tx.count(f"DELETE FROM {ref.physical}")
        tx.put("table", str(ref), rewritten(resource))
        statistics = {
            "statementType": "TRUNCATE_TABLE",
            "numDmlAffectedRows": str(count),
            "dmlStats": {"deletedRowCount": str(count)},
        }
        task.complete(tx, {"query": statistics}, ref.to_json())


def _complete(task: Task, tx: Transaction, kind: str, done: str, ref: TableRef) -> None:
    statistics = {
        "statementType": kind,
        "ddlOperationPerformed": done,
        "ddlTargetTable": ref.to_json(),
    }
    task.complete(tx, {"query": statistics}, ref.to_json())
