"""Columns as JSON objects, one per row, without a Python object for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa


def json_objects(columns: Mapping[str, pa.Array | list[Any]]) -> bytes:
    """A JSON array with an object per row: the columns by name, all of one length.

    An Arrow array holds strings, finite numbers or booleans; a list any JSON values.
    """
    names = (orjson.dumps(name).replace(b"%", b"%%") for name in columns)
    form = b"{" + b",".join(name + b":%b" for name in names) + b"}"
    values = zip(*map(_encoded, columns.values()), strict=True)
    return b"[" + b",".join(map(form.__mod__, values)) + b"]"


def _encoded(column: pa.Array | list[Any]) -> list[bytes]:
    """Each value in JSON."""
    if isinstance(column, list):
        return list(map(orjson.dumps, column))
    if pa.types.is_string(column.type) or not len(column):
        return list(map(orjson.dumps, column.to_pylist()))
    # Numbers and booleans hold no comma: all are written at once, and parted.
    return orjson.dumps(_values(column))[1:-1].split(b",")


def _values(column: pa.Array) -> list[Any]:
    if column.null_count:
        return column.to_pylist()
    return column.to_numpy(zero_copy_only=False).tolist()
