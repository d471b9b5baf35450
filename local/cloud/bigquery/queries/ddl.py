"""CREATE and DROP of tables and views, TRUNCATE."""

from __future__ import annotations

from sqlglot import exp

from local.cloud.bigquery.jobs import Execution
from local.cloud.bigquery.sql.names import Context
from local.cloud.bigquery.store import Store
from local.cloud.http import unsupported


def run(execution: Execution, store: Store, tree: exp.Expr, context: Context) -> None:
    raise unsupported(f"the statement {tree.key.upper()}")
