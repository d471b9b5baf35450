"""One BigQuery statement to one DuckDB statement, or a refusal that names what is in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, TokenError, UnsupportedError

from local.cloud.bigquery.errors import invalid_query
from local.cloud.bigquery.names import TableRef
from local.cloud.bigquery.sql import parameters as query_parameters
from local.cloud.bigquery.sql.dialect import OnDuckDB
from local.cloud.bigquery.sql.functions import check_functions
from local.cloud.bigquery.sql.names import Context, Resolver
from local.cloud.bigquery.store import Store
from local.cloud.http import unsupported


@dataclass(frozen=True)
class Translation:
    """DuckDB SQL, the statements to run before it, and the tables it reads."""

    sql: str
    prelude: tuple[str, ...]
    referenced: tuple[TableRef, ...]


def statements(sql: str) -> list[exp.Expr]:
    """All statements of a query. Raises ApiError 400 for a syntax error."""
    try:
        parsed = sqlglot.parse(sql, read="bigquery")
    except (ParseError, TokenError) as error:
        raise invalid_query(f"Syntax error: {_first_line(error)}") from error
    # What stands between semicolons may be nothing, or a comment.
    found = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if not found:
        raise invalid_query("Syntax error: Unexpected end of statement")
    return found


def parse(sql: str) -> exp.Expr:
    """The one statement of a view. Raises ApiError 400 for a syntax error or a script."""
    found = statements(sql)
    if len(found) > 1:
        raise invalid_query("Syntax error: Expected one statement")
    return found[0]


def prepare(tree: exp.Expr, mode: str | None, parameters: Sequence[Mapping[str, Any]]) -> exp.Expr:
    """Binds parameters and refuses functions we cannot answer for."""
    query_parameters.bind(tree, mode, parameters)
    check_functions(tree)
    _widen_literals(tree)
    if isinstance(tree, exp.Query):
        _name_columns(tree)
    return tree


def translate(store: Store, tree: exp.Expr, context: Context) -> Translation:
    """Resolves names and writes DuckDB SQL. Raises ApiError 404 or 501; changes `tree`."""
    resolver = Resolver(store, context, lambda view: prepare(parse(view), None, []))
    resolver.resolve(tree)
    return Translation(generate(tree), tuple(resolver.prelude), tuple(resolver.referenced))


def generate(tree: exp.Expr) -> str:
    """DuckDB SQL of a resolved tree. Raises ApiError 501 for what DuckDB cannot express."""
    try:
        return tree.sql(dialect=OnDuckDB, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise unsupported(f"this SQL: {_first_line(error)}") from error


def _widen_literals(tree: exp.Expr) -> None:
    """Arithmetic on whole numbers is 64 bits wide in BigQuery, 32 for literals in DuckDB."""
    for node in list(tree.find_all(exp.Literal)):
        sibling = node.parent.expression if isinstance(node.parent, exp.Binary) else None
        widest = isinstance(node.parent, exp.Mul | exp.Add | exp.Sub) and isinstance(
            node.parent.this, exp.Literal
        )
        if widest and sibling is not None and not node.is_string and node.name.isdigit():
            node.replace(exp.cast(node.copy(), exp.DType.BIGINT))


def _name_columns(tree: exp.Query) -> None:
    """Columns without a name are f0_, f1_ and so on."""
    query: exp.Expr = tree
    while not isinstance(query, exp.Select):
        query = query.this
    unnamed = 0
    for projection in query.expressions:
        if isinstance(projection, exp.Alias | exp.Column | exp.Star):
            continue
        if isinstance(projection, exp.Dot):
            name = projection.name
        else:
            name = f"f{unnamed}_"
            unnamed += 1
        projection.replace(exp.alias_(projection.copy(), name, quoted=True))


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0]
