"""Rows as the instances of prediction requests, encoded a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

KEY = "#"
"""The field that names an instance, beside its inputs: no column can be called so. The request's
parameters say it, and a container that knows of keys repeats it in each prediction."""
_OPENING, _CLOSING = b'{"instances":[', b'],"parameters":{"key":"#"}}'
ENVELOPE_BYTES = len(_OPENING) + len(_CLOSING)

Instances: TypeAlias = pa.RecordBatch
"""Columns `json` (string): an instance and a comma; `key` (int64): by which it is named there."""


def encode(features: pa.RecordBatch, inputs: Sequence[str], first_key: int) -> Instances:
    """One JSON object per row: the inputs by name, and a key, counted from the first one.

    Times are in ISO 8601; a null is null.
    """
    keys = pa.array(np.arange(first_key, first_key + features.num_rows))
    columns = [*(features.column(name) for name in inputs), keys]
    fragments: list[pa.Array | str] = []
    for opening, name, column in zip("{" + "," * len(inputs), [*inputs, KEY], columns, strict=True):
        fragments += [f"{opening}{orjson.dumps(name).decode()}:", json_values(column)]
    json = pc.binary_join_element_wise(*fragments, "},", "")
    return pa.RecordBatch.from_arrays([json, keys], ["json", "key"])


def json_values(column: pa.Array) -> pa.Array:
    """Each value of a column as JSON text."""
    type_ = column.type
    if pa.types.is_boolean(type_) or pa.types.is_integer(type_):
        text = column.cast(pa.string())
    elif pa.types.is_floating(type_):
        text = pc.if_else(pc.is_finite(column), column.cast(pa.string()), None)
    elif pa.types.is_timestamp(type_):
        text = pc.binary_join_element_wise('"', _iso(column), 'Z"', "")
    elif pa.types.is_date(type_):
        text = pc.binary_join_element_wise('"', column.cast(pa.string()), '"', "")
    else:
        text = _quoted(column)
    return pc.fill_null(text, "null")


def sizes(instances: Instances) -> np.ndarray:
    """Bytes (int64) that each instance takes in a request, its comma included."""
    lengths: np.ndarray = pc.binary_length(instances.column("json")).to_numpy()
    return lengths.astype(np.int64)


def request_body(instances: Instances) -> bytes:
    """The request for predictions of those instances; at least one."""
    json = instances.column("json")
    _, offsets, data = json.buffers()
    ends = np.frombuffer(offsets, np.int32)
    start, end = int(ends[json.offset]), int(ends[json.offset + len(json)])
    return _OPENING + data[start : end - 1].to_pybytes() + _CLOSING


def _iso(column: pa.Array) -> pa.Array:
    text = column.cast(pa.timestamp("us")).cast(pa.string())
    return pc.replace_substring(text, " ", "T", max_replacements=1)


def _quoted(column: pa.Array) -> pa.Array:
    """Texts repeat: each is escaped once."""
    encoded = column.dictionary_encode()
    quoted = [orjson.dumps(text).decode() for text in encoded.dictionary.to_pylist()]
    return pa.array(quoted, pa.string()).take(encoded.indices)
