"""Column definitions of DDL as schema fields."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from local.cloud.bigquery.queries import options
from local.cloud.http import unsupported


def field(column: exp.Expr) -> dict[str, Any]:
    """A field of a schema resource. Raises ApiError 501 for what columns cannot be here."""
    if not isinstance(column, exp.ColumnDef):
        raise unsupported(f"{column.sql('bigquery')} among columns")
    body: dict[str, Any] = {"name": column.name, "type": _type(column), "mode": "NULLABLE"}
    for constraint in column.args.get("constraints") or []:
        if isinstance(constraint.kind, exp.NotNullColumnConstraint):
            body["mode"] = "REQUIRED"
        elif isinstance(constraint.kind, exp.Properties):
            body["description"] = options.description_of_column(constraint.kind)
        else:
            raise unsupported(f"the column option {constraint.sql('bigquery')}")
    return body


def _type(column: exp.ColumnDef) -> str:
    type_ = str(column.args["kind"].sql("bigquery"))
    if "<" in type_ or "(" in type_:
        raise unsupported(f"the type {type_} in DDL")
    return type_
