"""JSON rows to Arrow columns: a whole column at once, value by value only where that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter
from types import NoneType
from typing import Any

import pyarrow as pa

from local.cloud.bigquery.schema import Field, Schema, by_name
from local.cloud.bigquery.streaming.values import Bad, convert

Row = dict[str, Any]
_MICROSECONDS = pa.timestamp("us", "UTC")
_TYPES = {
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": _MICROSECONDS,
    "NUMERIC": pa.decimal128(38, 9),
}


@dataclass
class Problems:
    """What is wrong with which rows, in the shape of insertErrors."""

    by_row: dict[int, list[dict[str, str]]] = field(default_factory=dict)

    def add(self, row: int, location: str, message: str, reason: str = "invalid") -> None:
        said = {"reason": reason, "location": location, "debugInfo": "", "message": message}
        self.by_row.setdefault(row, []).append(said)

    def stop(self, rows: Iterable[int]) -> None:
        """Notes rows that are kept out by the others, not by themselves."""
        for row in rows:
            self.add(row, "", "", reason="stopped")


def arrow_type(column: Field) -> pa.DataType:
    """The Arrow type of a column, nesting included."""
    if column.type == "RECORD":
        base = pa.struct([pa.field(f.name, arrow_type(f)) for f in column.fields])
    else:
        base = _TYPES[column.type]
    return pa.list_(base) if column.mode == "REPEATED" else base


def build(
    fields: Schema, rows: Sequence[Row], problems: Problems, *, ignore_unknown: bool
) -> pa.Table:
    """One column for each field. Rows that do not fit are noted and hold nulls there."""
    columns = {}
    by_column = _turned(fields, rows, problems, ignore_unknown)
    for column, values in zip(fields, by_column, strict=True):
        if column.mode == "REQUIRED" and None in values:
            for i, value in enumerate(values):
                if value is None:
                    problems.add(i, "", f"Missing required field: {column.name}.")
        columns[column.name] = _at_once(column, values)
        if columns[column.name] is None:
            columns[column.name] = _one_by_one(column, values, problems, ignore_unknown)
    return pa.table(columns)


def _turned(
    fields: Schema, rows: Sequence[Row], problems: Problems, ignore_unknown: bool
) -> Iterable[Sequence[Any]]:
    """The values by column; a field that a row leaves out is null."""
    names = [column.name for column in fields]
    if all(len(row) == len(names) for row in rows):
        with suppress(KeyError):
            return [list(map(itemgetter(name), rows)) for name in names]
    if not set().union(*rows) <= set(names):
        rows = _renamed(fields, rows, problems, ignore_unknown)
    return [[row.get(name) for row in rows] for name in names]


def _renamed(
    fields: Schema, rows: Sequence[Row], problems: Problems, ignore_unknown: bool
) -> Sequence[Row]:
    """Rows under the columns' own names (any case is accepted), without unknown fields."""
    given = set().union(*rows)
    known = by_name(fields)
    names = {name: known[name.lower()].name for name in given if name.lower() in known}
    if not ignore_unknown:
        unknown = given - names.keys()
        for i, row in enumerate(rows):
            for name in row:
                if name in unknown:
                    problems.add(i, name, f"no such field: {name}.")
    return [{names[k]: v for k, v in row.items() if k in names} for row in rows]


def _at_once(column: Field, values: Sequence[Any]) -> pa.Array | None:
    """The column when all values are of the plain kind for its type, else None."""
    if column.type not in _DIRECT or column.mode == "REPEATED":
        return None
    kinds, read = _DIRECT[column.type]
    if not set(map(type, values)) <= kinds:
        return None
    try:
        return read(values)
    except (pa.ArrowInvalid, OverflowError):
        return None


def _one_by_one(
    column: Field, values: Sequence[Any], problems: Problems, ignore_unknown: bool
) -> pa.Array:
    converted = []
    for i, value in enumerate(values):
        try:
            one = convert(column, value, column.name, ignore_unknown=ignore_unknown)
        except Bad as bad:
            problems.add(i, bad.location, bad.message)
            one = None
        converted.append(one)
    return pa.array(converted, arrow_type(column))


def _plain(type_: pa.DataType) -> Callable[[Sequence[Any]], pa.Array]:
    return lambda values: pa.array(values, type_)


def _parsed(type_: pa.DataType) -> Callable[[Sequence[Any]], pa.Array]:
    """Arrow reads ISO 8601 as BigQuery does; what it does not know is left to `values`."""
    return lambda values: pa.array(values, pa.string()).cast(type_)


_DIRECT: dict[str, tuple[set[type], Callable[[Sequence[Any]], pa.Array]]] = {
    "STRING": ({str, NoneType}, _plain(pa.string())),
    "INTEGER": ({int, NoneType}, _plain(pa.int64())),
    "FLOAT": ({float, int, NoneType}, _plain(pa.float64())),
    "BOOLEAN": ({bool, NoneType}, _plain(pa.bool_())),
    "DATE": ({str, NoneType}, _parsed(pa.date32())),
    "DATETIME": ({str, NoneType}, _parsed(pa.timestamp("us"))),
    "TIMESTAMP": ({str, NoneType}, _parsed(_MICROSECONDS)),
}
