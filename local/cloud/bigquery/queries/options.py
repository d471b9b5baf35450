"""OPTIONS(…) of tables, views and columns, as resources have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlglot import exp

from local.cloud.bigquery.errors import invalid_query
from local.cloud.bigquery.sql import translation
from local.cloud.bigquery.store import Resource, Transaction
from local.cloud.http import unsupported

_DAY_MS = 24 * 60 * 60 * 1000
_TEXTS = {"description": "description", "friendly_name": "friendlyName"}


def of_table(
    tx: Transaction, properties: Iterable[exp.Property], resource: Resource
) -> dict[str, Any]:
    """What the options change in a table's body; None where one is taken away.

    `resource` is the table as it is, or the body of one that is to be. Raises ApiError 400 for a
    wrong value, 501 for an option that we do not have.
    """
    body: dict[str, Any] = {}
    for item in properties:
        name, value = str(item.this.name).lower(), item.args["value"]
        if name in _TEXTS:
            body[_TEXTS[name]] = _evaluated(tx, value)
        elif name == "labels":
            dropped = dict.fromkeys(resource.get("labels") or {})
            body["labels"] = dropped | _labels(value)
        elif name == "expiration_timestamp":
            micros = _evaluated(tx, value, "epoch_us({}::TIMESTAMPTZ)")
            body["expirationTime"] = None if micros is None else str(micros // 1000)
        elif name == "partition_expiration_days":
            body["timePartitioning"] = _with_expiration(resource, _evaluated(tx, value))
        elif name != "require_partition_filter" or _evaluated(tx, value):
            raise unsupported(f"the table option {name}")
    return body


def description_of_column(constraint: exp.Properties) -> str | None:
    """The one option that columns have here. Raises ApiError 501 for any other."""
    found = None
    for item in constraint.expressions:
        if str(item.this.name).lower() != "description":
            raise unsupported(f"the column option {item.this.name}")
        found = str(item.args["value"].name)
    return found


def _evaluated(tx: Transaction, value: exp.Expr, within: str = "{}") -> Any:
    sql = within.format(f"({translation.generate(value)})")
    [(result,)] = tx.execute(f"SELECT {sql}").fetchall()
    return result


def _labels(value: exp.Expr) -> dict[str, str]:
    """Labels from `[('key', 'value'), …]`, or none from NULL."""
    pairs = value.expressions if isinstance(value, exp.Array) else []
    texts = [[part.name for part in pair.expressions if part.is_string] for pair in pairs]
    if any(len(pair) != 2 for pair in texts) or not isinstance(value, exp.Array | exp.Null):
        raise invalid_query("labels are an array of pairs of text, [('key', 'value')]")
    return {pair[0]: pair[1] for pair in texts}


def _with_expiration(resource: Resource, days: float | None) -> dict[str, Any]:
    spec = resource.get("timePartitioning")
    if not spec:
        raise invalid_query("partition_expiration_days is for partitioned tables only")
    milliseconds = None if days is None else str(round(float(days) * _DAY_MS))
    return {**spec, "expirationMs": milliseconds}
