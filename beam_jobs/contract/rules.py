"""Which values of a column break its field's rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.contract.casting import BooleanTokens, Mask, cast
from beam_jobs.contract.contract import FieldRules
from beam_jobs.runs.dead_letter import ErrorCode

_LEAST, _MOST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Fault:
    """One rule of one field, and the rows that break it."""

    field: str
    code: ErrorCode
    rows: Mask
    explain: str
    values: pa.Array
    """The column as it was received."""

    def message(self, row: int) -> str:
        if self.code is ErrorCode.MISSING_VALUE:
            return f"{self.field}: {self.explain}"
        return f"{self.field}: {_short(self.values[row])} {self.explain}"


def check(
    rules: FieldRules, column: pa.Array, tokens: BooleanTokens
) -> tuple[pa.Array, list[Fault]]:
    """The column typed and with defaults filled in, and its faults, each row in at most one."""
    typed, failed = cast(column, rules.field.type, tokens)
    faults: list[Fault] = []
    taken = failed
    if failed is not None:
        article = "an" if rules.field.type == "integer" else "a"
        explain = f"is not {article} {rules.field.type}"
        faults.append(Fault(rules.field.name, ErrorCode.WRONG_TYPE, failed, explain, column))
    if rules.default is not None and typed.null_count:
        typed = typed.fill_null(rules.default)
    for code, explain, broken in _broken(rules, typed):
        rows = broken if taken is None else broken & ~taken
        if rows.any():
            faults.append(Fault(rules.field.name, code, rows, explain, typed))
            taken = rows if taken is None else taken | rows
    return typed, faults


def _broken(rules: FieldRules, column: pa.Array) -> Iterator[tuple[ErrorCode, str, Mask]]:
    """Every rule that some value breaks; where all values are good this only aggregates."""
    field = rules.field
    if field.required and column.null_count:
        yield ErrorCode.MISSING_VALUE, "the value is missing", _mask(column.is_null())
    if field.type == "float" and _some(finite := pc.is_finite(column), False):
        yield ErrorCode.NOT_FINITE, "is not finite", _mask(pc.invert(finite))
    if field.range is not None:
        yield from _out_of_range(column, *field.range)
    if rules.allowed is not None:
        known = pc.is_in(column, rules.allowed)
        if known.false_count > column.null_count:
            broken = _mask(pc.and_not(column.is_valid(), known))
            yield ErrorCode.NOT_ALLOWED, _allowed(rules.allowed), broken
    if rules.pattern is not None:
        matches = pc.match_substring_regex(column, rules.pattern)
        if _some(matches, False):
            explain = f"does not match {field.pattern}"
            yield ErrorCode.PATTERN, explain, _mask(pc.invert(matches))


def _out_of_range(
    column: pa.Array, low: float | None, high: float | None
) -> Iterator[tuple[ErrorCode, str, Mask]]:
    if low is not None:
        below = pc.less(column, _bound(low, column.type, math.ceil))
        if _some(below, True):
            explain = f"is below the lowest value {low:g}"
            yield ErrorCode.OUT_OF_RANGE, explain, _mask(below)
    if high is not None:
        above = pc.greater(column, _bound(high, column.type, math.floor))
        if _some(above, True):
            explain = f"is above the highest value {high:g}"
            yield ErrorCode.OUT_OF_RANGE, explain, _mask(above)


def _bound(end: float, type_: pa.DataType, inwards: Callable[[float], int]) -> pa.Scalar:
    """An end of a range in the column's type: Arrow cannot compare large integers with floats."""
    if pa.types.is_integer(type_):
        return pa.scalar(inwards(max(_LEAST, min(end, _MOST))), type_)
    return pa.scalar(end, type_)


def _some(flags: pa.BooleanArray, value: bool) -> bool:
    return bool(flags.true_count if value else flags.false_count)


def _mask(flags: pa.BooleanArray) -> Mask:
    """Nulls are not faults here: `MISSING_VALUE` alone speaks of them."""
    mask: Mask = np.asarray(flags.fill_null(False).to_numpy(zero_copy_only=False))
    return mask


def _allowed(values: pa.Array, most: int = 6) -> str:
    shown = ", ".join(_short(value) for value in values.slice(0, most))
    return f"is none of {shown}" + (", …" if len(values) > most else "")


def _short(value: pa.Scalar, most: int = 80) -> str:
    text = str(value)
    text = repr(text) if pa.types.is_string(value.type) else text
    return text if len(text) <= most else text[: most - 1] + "…"
