"""ALTER TABLE and ALTER VIEW: columns added or relaxed, options set."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from local.cloud.bigquery import tables
from local.cloud.bigquery.errors import invalid_query
from local.cloud.bigquery.queries import columns, options
from local.cloud.bigquery.store import Resource, Transaction
from local.cloud.http import unsupported

_PARTS = {"this", "kind", "exists", "actions"}


def changed(tx: Transaction, tree: exp.Alter, resource: Resource) -> Resource:
    """Makes the changes; answers the table's new resource. Raises ApiError 400 or 501."""
    for part, value in tree.args.items():
        if value and part not in _PARTS:
            raise unsupported(f"{part} in ALTER")
    body: dict[str, Any] = {}
    fields = [dict(field) for field in resource["schema"]["fields"]]
    for action in tree.args["actions"]:
        if isinstance(action, exp.AlterSet):
            for group in action.expressions:
                body |= options.of_table(tx, group.expressions, {**resource, **body})
        elif isinstance(action, exp.ColumnDef):
            _add(fields, action)
        elif isinstance(action, exp.AlterColumn) and action.args.get("allow_null"):
            _relax(fields, action.name)
        else:
            raise unsupported(f"ALTER … {action.sql('bigquery')[:60]}")
    if fields != resource["schema"]["fields"]:
        if resource["type"] == "VIEW":
            raise invalid_query(f"The columns of the view {resource['id']} cannot be altered")
        body["schema"] = {"fields": fields}
    return tables.change(tx, resource, body)


def _add(fields: list[dict[str, Any]], column: exp.ColumnDef) -> None:
    wanted = columns.field(column)
    if any(field["name"].lower() == wanted["name"].lower() for field in fields):
        if not column.args.get("exists"):
            raise invalid_query(f"Column already exists: {wanted['name']}")
        return
    fields.append(wanted)


def _relax(fields: list[dict[str, Any]], name: str) -> None:
    for field in fields:
        if field["name"].lower() == name.lower():
            field["mode"] = "NULLABLE" if field["mode"] == "REQUIRED" else field["mode"]
            return
    raise invalid_query(f"Column not found: {name}")
