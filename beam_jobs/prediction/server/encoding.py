"""Columns as JSON objects, one per row, without a Python object for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa

_WITHOUT_COMMA = {int, float, bool, type(None)}


def json_objects(columns: Mapping[str, pa.Array | list[Any]], rows: int) -> bytes:
    """A JSON array with an object per row: at least one column by its name, of that many values.

    An Arrow array holds strings, finite numbers or booleans; a list any JSON values.
    """
    width = 2 * len(columns)
    parts = [b""] * (rows * width)
    for place, (name, column) in enumerate(columns.items()):
        opening = b"," if place else b"},{"
        parts[2 * place :: width] = [opening + orjson.dumps(name) + b":"] * rows
        parts[2 * place + 1 :: width] = _encoded(column)
    return b"[%b}]" % b"".join(parts)[2:] if rows else b"[]"


def _encoded(column: pa.Array | list[Any]) -> list[bytes]:
    """Each value in JSON; all at once, and then parted, where no value can hold a comma."""
    values = column if isinstance(column, list) else _values(column)
    if values and set(map(type, values)) <= _WITHOUT_COMMA:
        return orjson.dumps(values)[1:-1].split(b",")
    return list(map(orjson.dumps, values))


def _values(column: pa.Array) -> list[Any]:
    if column.null_count:
        return column.to_pylist()
    return column.to_numpy(zero_copy_only=False).tolist()
