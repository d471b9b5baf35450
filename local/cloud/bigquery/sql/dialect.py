"""DuckDB SQL that keeps BigQuery's meaning: sqlglot's DuckDB generator with corrections.

Macros named `bq_…` are defined in semantics.sql.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator

from local.cloud.http import unsupported

Writer = Callable[[Any, Any], str]

_TYPES = {
    exp.DType.DECIMAL: "DECIMAL(38, 9)",
    exp.DType.TIMESTAMPTZ: "TIMESTAMPTZ",
    exp.DType.DATETIME: "TIMESTAMP",
}
_INT64 = {exp.DType.BIGINT, exp.DType.INT}
_EXTRACTED = {
    "ISOWEEK": "CAST(week({0}) AS BIGINT)",
    "WEEK": "CAST(strftime({0}, '%U') AS BIGINT)",
    "DAYOFWEEK": "(dayofweek({0}) + 1)",
    "MILLISECOND": "(date_part('millisecond', {0}) % 1000)",
    "MICROSECOND": "(date_part('microsecond', {0}) % 1000000)",
    "DATE": "CAST({0} AS DATE)",
    "TIME": "CAST({0} AS TIME)",
}
_PARTS = {"YEAR", "ISOYEAR", "QUARTER", "MONTH", "DAY", "DAYOFYEAR", "HOUR", "MINUTE", "SECOND"}
_EXACT_UNITS = {"MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY"}
_TRUNCATED = _EXACT_UNITS | {"MONTH", "QUARTER", "YEAR"}
_MICROSECONDS = {"0": 1_000_000, "3": 1_000, "6": 1}


def _inherited(generator: Any, node: exp.Expr) -> str:
    """What sqlglot's own DuckDB generator writes for the node."""
    transform = DuckDBGenerator.TRANSFORMS.get(type(node))
    if transform is not None:
        return str(transform(generator, node))
    return str(getattr(generator, f"{node.key}_sql")(node))


def _macro(name: str) -> Writer:
    return lambda generator, node: generator.func(name, node.this, node.expression)


def _cast_to(type_: str) -> Writer:
    return lambda generator, node: f"CAST({_inherited(generator, node)} AS {type_})"


def _date_function(generator: Any, node: exp.Expr) -> str:
    node.set("this", exp.Anonymous(this="bq_date", expressions=[node.this]))
    return f"CAST({_inherited(generator, node)} AS DATE)"


def _cast(generator: Any, node: exp.Cast) -> str:
    kind = node.to.this
    if node.args.get("format"):
        raise unsupported("CAST with FORMAT")
    if kind in _INT64:
        return str(generator.func("bq_int64", node.this))
    if kind in (exp.DType.TEXT, exp.DType.VARCHAR) and not node.this.is_string:
        return str(generator.func("bq_string", node.this))
    return f"CAST({generator.sql(node, 'this')} AS {generator.sql(node, 'to')})"


def _try_cast(generator: Any, node: exp.TryCast) -> str:
    if node.to.this in _INT64:
        return str(generator.func("bq_safe_int64", node.this))
    return f"TRY({_cast(generator, node)})"


def _extract(generator: Any, node: exp.Extract) -> str:
    part, source = node.name.upper(), generator.sql(node, "expression")
    if part in _EXTRACTED:
        return _EXTRACTED[part].format(source)
    if part not in _PARTS:
        raise unsupported(f"EXTRACT({part} …)")
    return f"date_part('{part.lower()}', {source})"


def _timestamp_diff(generator: Any, node: exp.TimestampDiff) -> str:
    """Whole intervals between two instants, not boundaries crossed."""
    unit = node.text("unit").upper()
    if unit not in _EXACT_UNITS:
        raise unsupported(f"TIMESTAMP_DIFF by {unit}")
    later, earlier = generator.sql(node, "this"), generator.sql(node, "expression")
    return (
        f"date_sub('{unit.lower()}', CAST({earlier} AS TIMESTAMPTZ), CAST({later} AS TIMESTAMPTZ))"
    )


def _timestamp_trunc(generator: Any, node: exp.TimestampTrunc) -> str:
    unit = node.text("unit").upper()
    if unit not in _TRUNCATED or node.args.get("zone"):
        raise unsupported(f"TIMESTAMP_TRUNC to {node.args['unit']} or with a time zone")
    return f"date_trunc('{unit.lower()}', CAST({generator.sql(node, 'this')} AS TIMESTAMPTZ))"


def _unix_to_time(generator: Any, node: exp.UnixToTime) -> str:
    factor = _MICROSECONDS[node.text("scale") or "0"]
    return f"make_timestamptz({generator.sql(node, 'this')} * CAST({factor} AS BIGINT))"


def _like(generator: Any, node: exp.Like) -> str:
    return f"{_inherited(generator, node)} ESCAPE '\\'"


def _literal(generator: Any, node: exp.Literal) -> str:
    """A number with a point is a FLOAT64; DuckDB would read a DECIMAL."""
    text = str(generator.literal_sql(node))
    if node.is_string or text.isdigit() or text.lower().startswith("0x"):
        return text
    return f"CAST({text} AS DOUBLE)"


def _quantiles(generator: Any, node: exp.ApproxQuantiles) -> str:
    """Exact quantiles: as good an approximation as any, and the same each time."""
    count = node.args.get("expression")
    if not isinstance(count, exp.Literal) or isinstance(node.this, exp.Distinct):
        raise unsupported("APPROX_QUANTILES with DISTINCT or a computed number")
    parts = int(count.name)
    fractions = ", ".join(repr(i / parts) for i in range(parts + 1))
    return f"quantile_disc({generator.sql(node, 'this')}, [{fractions}])"


def _byte_length(generator: Any, node: exp.ByteLength) -> str:
    return str(generator.func("bq_byte_length", node.this))


def _bracket(generator: Any, node: exp.Bracket) -> str:
    """An element by position; outside the array it is an error unless SAFE_ is said."""
    if len(node.expressions) != 1 or node.args.get("safe") or node.expressions[0].is_string:
        return str(generator.bracket_sql(node))
    position = generator.sql(node.expressions[0])
    shift = 1 - int(node.args.get("offset") or 0)
    return f"bq_element({generator.sql(node, 'this')}, {position} + {shift})"


class OnDuckDB(DuckDB):
    """Generates from syntax trees that were read as BigQuery."""

    class Generator(DuckDBGenerator):
        TRANSFORMS = {
            **DuckDBGenerator.TRANSFORMS,
            exp.ApproxQuantiles: _quantiles,
            exp.Bracket: _bracket,
            exp.ByteLength: _byte_length,
            exp.Cast: _cast,
            exp.DateAdd: _date_function,
            exp.DateSub: _date_function,
            exp.DateTrunc: _date_function,
            exp.Div: _macro("bq_divide"),
            exp.Extract: _extract,
            exp.IntDiv: _macro("bq_div"),
            exp.Like: _like,
            exp.Literal: _literal,
            exp.Mod: _macro("bq_mod"),
            exp.StrToTime: _cast_to("TIMESTAMPTZ"),
            exp.TimestampDiff: _timestamp_diff,
            exp.TimestampTrunc: _timestamp_trunc,
            exp.TryCast: _try_cast,
            exp.UnixToTime: _unix_to_time,
        }

        def datatype_sql(self, expression: exp.DataType) -> str:
            if expression.this in _TYPES and not expression.expressions:
                return _TYPES[expression.this]
            return super().datatype_sql(expression)
