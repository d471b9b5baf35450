"""From instances to the model's input columns, by the model's signature.

An instance holds exactly the model's inputs, and the key where the request names one. A value
has its JSON type: string, number, true or false; dates and timestamps are ISO strings, integers
may be written with a fraction of zero (Vertex AI's `predict` turns all numbers into floats). Null
is for the model to judge, as it is in a nightly job.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from operator import itemgetter, methodcaller
from typing import Any

import numpy as np
import pyarrow as pa

from beam_jobs.contract.casting import BooleanTokens, cast
from beam_jobs.contract.types import arrow_type
from beam_jobs.prediction.manifest import ModelColumn
from beam_jobs.prediction.server.problems import MOST_PROBLEMS, Problem, RefusedRequest
from beam_jobs.prediction.server.request import PredictRequest, kind_of
from beam_jobs.spec.fields import FieldType

_JSON_TYPES: dict[FieldType, set[type]] = {
    "string": {str},
    "integer": {int, float},
    "float": {int, float},
    "boolean": {bool},
    "timestamp": {str},
    "date": {str},
}
_EXAMPLES: dict[FieldType, str] = {
    "string": "a string",
    "integer": "a number without a fraction, within 64 bits",
    "float": "a number",
    "boolean": "true or false",
    "timestamp": 'a string as "2026-01-31T12:00:00Z"',
    "date": 'a string as "2026-01-31"',
}
_NULL = type(None)
_WIRE = {bool: pa.bool_(), int: pa.int64(), str: pa.string(), _NULL: pa.null()}


def features_of(request: PredictRequest, inputs: Sequence[ModelColumn]) -> pa.RecordBatch:
    """One column per model input, one row per instance. Raises RefusedRequest (400)."""
    names = {column.name for column in inputs}
    if request.key is not None:
        names.add(request.key)
    values, complete = _by_field(request.instances, names)
    problems = [] if complete else _wrong_fields(request.instances, names)
    arrays = []
    for column in inputs:
        array, wrong = _column(values[column.name], column.type)
        arrays.append(array)
        problems += [_wrong_value(n, column, values[column.name][n]) for n in wrong]
    if request.key is not None:
        problems += _wrong_keys(request.key, values[request.key])
    if problems:
        raise RefusedRequest(400, sorted(problems, key=lambda problem: problem.instance or 0))
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in inputs])


def _by_field(
    instances: list[dict[str, Any]], names: Set[str]
) -> tuple[dict[str, list[Any]], bool]:
    """Each field's values, null where one is missing; and whether every instance has exactly
    these fields."""
    try:
        values = {name: list(map(itemgetter(name), instances)) for name in names}
    except KeyError:
        return {name: list(map(methodcaller("get", name), instances)) for name in names}, False
    return values, set(map(len, instances)) <= {len(names)}


def _column(values: list[Any], type_: FieldType) -> tuple[pa.Array, list[int]]:
    """The values as a column, and the indices of the first ones that do not fit its type.

    The column is whole only where all values fit. One conversion when they do; halves are looked
    at separately when they do not.
    """
    pieces: list[pa.Array] = []
    wrong: list[int] = []
    pending = [(0, len(values))]
    while pending and len(wrong) < MOST_PROBLEMS:
        start, stop = pending.pop()
        array = _converted(values[start:stop], type_)
        if array is not None:
            pieces.append(array)
        elif stop - start == 1:
            wrong.append(start)
        else:
            middle = (start + stop) // 2
            pending += [(middle, stop), (start, middle)]
    return pa.concat_arrays(pieces or [pa.nulls(0, arrow_type(type_))]), wrong


def _converted(values: list[Any], type_: FieldType) -> pa.Array | None:
    """The values as one column, None where some value does not fit."""
    kinds = set(map(type, values)) - {_NULL}
    if kinds - _JSON_TYPES[type_]:
        return None
    if type_ == "float":
        # JSON knows no NaN: one that is here now was a null.
        return pa.array(np.array(values, np.float64), from_pandas=True)
    wire = pa.float64() if float in kinds else _WIRE[next(iter(kinds), _NULL)]
    try:
        array, failed = cast(pa.array(values, wire), type_, BooleanTokens())
    except (pa.ArrowException, OverflowError):
        return None
    return array if failed is None else None


def _wrong_value(number: int, column: ModelColumn, value: Any) -> Problem:
    return Problem(
        f"{kind_of(value)} is no {column.type}",
        f"send {_EXAMPLES[column.type]}",
        number,
        column.name,
    )


def _wrong_fields(instances: list[dict[str, Any]], names: Set[str]) -> list[Problem]:
    """Fields that are missing or unknown."""
    known = ", ".join(sorted(names))
    problems: list[Problem] = []
    for number, instance in enumerate(instances):
        if len(problems) >= MOST_PROBLEMS:
            break
        problems += [
            Problem("is missing", "send it; null where it is not known", number, name)
            for name in sorted(names - instance.keys())
        ]
        problems += [
            Problem("is no field of the model", f"send {known} alone", number, name[:80])
            for name in sorted(instance.keys() - names)
        ]
    return problems


def _wrong_keys(field: str, keys: list[Any]) -> list[Problem]:
    allowed = {str, int, float}
    if set(map(type, keys)) <= allowed:
        return []
    return [
        Problem(f"{kind_of(key)} is no key", "send a string or a number", number, field)
        for number, key in enumerate(keys)
        if type(key) not in allowed
    ][:MOST_PROBLEMS]
