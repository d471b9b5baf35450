"""A query job from configuration to commit."""

from __future__ import annotations

from typing import Any

import duckdb
from sqlglot import exp

from local.cloud.bigquery import result_types, schema, writes
from local.cloud.bigquery.jobs import Execution
from local.cloud.bigquery.names import TableRef
from local.cloud.bigquery.queries import config as query_config
from local.cloud.bigquery.queries import ddl, dml, estimate, results
from local.cloud.bigquery.queries.config import QueryConfig
from local.cloud.bigquery.queries.failures import query_failure
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.sql.names import Context
from local.cloud.bigquery.store import Store, Transaction
from local.cloud.bigquery.streaming import buffer
from local.cloud.bigquery.writes import Source
from local.cloud.http import unsupported


def run(execution: Execution, store: Store) -> None:
    """Runs a query job. Its rows and the job's success commit together."""
    config = query_config.parse(execution.configuration["query"], execution.project)
    tree = _prepared(config)
    context = Context(execution.project, execution.location, config.default_dataset)
    try:
        if isinstance(tree, exp.Query):
            _run_select(execution, store, config, tree, context)
        elif isinstance(tree, exp.DML):
            dml.run(execution, store, tree, context)
        else:
            ddl.run(execution, store, tree, context)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise query_failure(error) from error


def dry_run(store: Store, project: str, location: str, body: dict[str, Any]) -> dict[str, Any]:
    """Statement type, tables, the result's schema and the bytes that running it would read.

    Raises ApiError as running the query would before it reads any row.
    """
    translated, fields = _described(store, project, location, body)
    statistics = _statistics("SELECT", translated.referenced)
    size = {"totalBytesProcessed": str(estimate.bytes_read(store, translated))}
    return {"schema": schema.to_json(fields), **statistics, **size, "totalBytesBilled": "0"}


def result_schema(store: Store, project: str, location: str, query: str) -> Schema:
    """The columns of a query's result. Raises ApiError as running it would."""
    body = {"query": query, "useLegacySql": False}
    return _described(store, project, location, body)[1]


def _described(
    store: Store, project: str, location: str, body: dict[str, Any]
) -> tuple[translation.Translation, Schema]:
    config = query_config.parse(body, project)
    tree = _prepared(config)
    context = Context(project, location, config.default_dataset)
    if not isinstance(tree, exp.Query):
        raise unsupported("dry runs of anything but SELECT")
    translated = translation.translate(store, tree, context)
    try:
        with store.transaction() as tx:
            return translated, _bind(tx, translated)
    except duckdb.Error as error:
        raise query_failure(error) from error


def _prepared(config: QueryConfig) -> exp.Expr:
    tree = translation.parse(config.query)
    return translation.prepare(tree, config.parameter_mode, config.parameters)


def _run_select(
    execution: Execution, store: Store, config: QueryConfig, tree: exp.Query, context: Context
) -> None:
    write = config.write
    if write:
        ref = write.destination.table
    else:
        ref = results.new_table(store, execution.project, execution.location)
    with execution.writing(ref) as tx:
        resource = writes.existing(store, write, execution.location) if write else None
        if resource is not None:
            # The result is found again by its place in the table: nothing may come in between.
            tx.hold(buffer.lock_name(ref))
        translated = translation.translate(store, tree, context)
        fields = _bind(tx, translated)
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
        statistics = _statistics("SELECT", translated.referenced)
        execution.complete(
            tx,
            {"query": {**statistics, "schema": schema.to_json(fields)}},
            ref.to_json(),
            {"result": written},
        )


def _bind(tx: Transaction, translated: translation.Translation) -> Schema:
    for statement in translated.prelude:
        tx.execute(statement)
    return result_types.fields_of(tx.cursor.sql(translated.sql))


def _statistics(kind: str, referenced: tuple[TableRef, ...]) -> dict[str, Any]:
    return {
        "statementType": kind,
        "cacheHit": False,
        "referencedTables": [ref.to_json() for ref in referenced],
    }
