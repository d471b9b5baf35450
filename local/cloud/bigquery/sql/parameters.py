"""Query parameters as expressions of the query's syntax tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from local.cloud.bigquery.errors import invalid_query
from local.cloud.http import unsupported

_SCALARS = {
    "INT64", "FLOAT64", "BOOL", "STRING", "BYTES", "DATE", "TIME", "DATETIME", "TIMESTAMP",
    "NUMERIC",
}  # fmt: skip
_LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def bind(tree: exp.Expr, mode: str | None, parameters: Sequence[Mapping[str, Any]]) -> None:
    """Replaces `@name` and `?` in place. Raises ApiError 400 for a parameter that is not given."""
    named = {
        str(p.get("name", "")).lower(): _value(p["parameterType"], p.get("parameterValue") or {})
        for p in parameters
        if p.get("name")
    }
    for node in list(tree.find_all(exp.Parameter)):
        if isinstance(node.this, exp.Parameter):
            raise unsupported(f"the system variable @@{node.this.name}")
        name = node.name.lower()
        if name not in named:
            raise invalid_query(f"Query parameter '{node.name}' not found")
        node.replace(named[name].copy())
    places = list(tree.find_all(exp.Placeholder, bfs=False))
    positional = [p for p in parameters if not p.get("name")]
    if len(positional) < len(places):
        raise invalid_query(
            f"Query has {len(places)} positional parameters, {len(positional)} given"
        )
    if mode == "NAMED" and places:
        raise invalid_query("Positional parameters are not supported with parameterMode NAMED")
    for place, parameter in zip(places, positional, strict=False):
        place.replace(_value(parameter["parameterType"], parameter.get("parameterValue") or {}))


def _value(type_: Mapping[str, Any], value: Mapping[str, Any]) -> exp.Expr:
    kind = str(type_["type"]).upper()
    if kind == "ARRAY":
        elements = value.get("arrayValues") or []
        array = exp.Array(expressions=[_value(type_["arrayType"], e) for e in elements])
        return exp.cast(array, _data_type(type_), dialect="bigquery")
    if kind == "STRUCT":
        given = value.get("structValues") or {}
        return exp.Struct(
            expressions=[
                exp.PropertyEQ(
                    this=exp.to_identifier(field["name"]),
                    expression=_value(field["type"], given.get(field["name"]) or {}),
                )
                for field in type_["structTypes"]
            ]
        )
    text = value.get("value")
    node = exp.null() if text is None else exp.Literal.string(str(text))
    if kind in ("BYTES",) and text is not None:
        return exp.func("FROM_BASE64", node, dialect="bigquery")
    return exp.cast(node, _data_type(type_), dialect="bigquery")


def _data_type(type_: Mapping[str, Any]) -> str:
    kind = str(type_["type"]).upper()
    kind = _LEGACY.get(kind, kind)
    if kind == "ARRAY":
        return f"ARRAY<{_data_type(type_['arrayType'])}>"
    if kind not in _SCALARS:
        raise unsupported(f"query parameters of type {kind}")
    return kind
