"""A query job from configuration to commit."""

from __future__ import annotations

from typing import Any

import duckdb
from sqlglot import exp

from local.cloud.bigquery import schema
from local.cloud.bigquery.errors import invalid_query
from local.cloud.bigquery.jobs import Execution
from local.cloud.bigquery.queries import config as query_config
from local.cloud.bigquery.queries import dml, estimate, scripts, statements
from local.cloud.bigquery.queries.config import QueryConfig
from local.cloud.bigquery.queries.failures import query_failure
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.sql.names import Context
from local.cloud.bigquery.store import Store
from local.cloud.http import unsupported


def run(execution: Execution, store: Store) -> None:
    """Runs a query job. Its rows and the job's success commit together."""
    config = query_config.parse(execution.configuration["query"], execution.project)
    trees = _prepared(config)
    context = Context(execution.project, execution.location, config.default_dataset)
    try:
        if len(trees) == 1:
            statements.run(execution, store, trees[0], context, config.write)
        else:
            scripts.run(execution, store, trees, context)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise query_failure(error) from error


def dry_run(store: Store, project: str, location: str, body: dict[str, Any]) -> dict[str, Any]:
    """Statement type, tables, a SELECT's schema and the bytes that running it would read.

    Raises ApiError as running the query would before it reads any row.
    """
    config = query_config.parse(body, project)
    tree, *more = _prepared(config)
    context = Context(project, location, config.default_dataset)
    if more or not isinstance(tree, exp.Query | exp.DML):
        raise unsupported("dry runs of anything but SELECT and DML")
    if isinstance(tree, exp.Query):
        translated, fields = _described(store, tree, context)
        said = {**statements.statistics("SELECT", translated.referenced)}
        said["schema"] = schema.to_json(fields)
        size = estimate.bytes_read(store, translated)
    else:
        change = dml.read(store, tree, context)
        _explain(store, change.translated)
        said = change.statistics
        inserts_only = change.kind == "INSERT"
        size = estimate.bytes_read(store, change.translated, None if inserts_only else change.table)
    return {**said, "totalBytesProcessed": str(size), "totalBytesBilled": "0"}


def result_schema(store: Store, project: str, location: str, query: str) -> Schema:
    """The columns of a view's query. Raises ApiError as running it would."""
    config = query_config.parse({"query": query, "useLegacySql": False}, project)
    tree, *more = _prepared(config)
    if more or not isinstance(tree, exp.Query):
        raise invalid_query("Syntax error: a view is one SELECT")
    return _described(store, tree, Context(project, location))[1]


def _described(
    store: Store, tree: exp.Query, context: Context
) -> tuple[translation.Translation, Schema]:
    translated = translation.translate(store, tree, context)
    try:
        with store.transaction() as tx:
            return translated, statements.bind(tx, translated)
    except duckdb.Error as error:
        raise query_failure(error) from error


def _explain(store: Store, translated: translation.Translation) -> None:
    """Raises ApiError for what DuckDB finds wrong with a statement without running it."""
    try:
        with store.transaction() as tx:
            for statement in translated.prelude:
                tx.execute(statement)
            tx.execute(f"EXPLAIN {translated.sql}")
    except duckdb.Error as error:
        raise query_failure(error) from error


def _prepared(config: QueryConfig) -> list[exp.Expr]:
    """The statements with their parameters. Raises ApiError 400 or 501 for what a script lacks."""
    trees = translation.statements(config.query)
    if len(trees) > 1:
        scripts.blocks(trees)
        if config.write:
            raise invalid_query("configuration.query.destinationTable cannot be set for scripts")
        if any(tree.find(exp.Placeholder) for tree in trees):
            raise unsupported("positional parameters in scripts")
    mode, parameters = config.parameter_mode, config.parameters
    return [translation.prepare(tree, mode, parameters) for tree in trees]
