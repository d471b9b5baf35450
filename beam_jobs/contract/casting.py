"""Columns cast to the contract's types; a value that does not fit fails alone.

Textual forms, the same for CSV cells, JSON strings and text columns of Parquet:

- float: decimal notation with or without exponent; `nan`, `inf`, `infinity` in any case are
  numbers too (and refused as not finite later on).
- integer: an optional minus and digits, or `0x` and hex digits, within 64 bits; or a float
  without a fraction below 2**53 in size (`3.0`, as pandas writes integers next to nulls).
- boolean: exactly one of the format's true or false tokens.
- date: `YYYY-MM-DD`.
- timestamp: ISO 8601 / RFC 3339, a `T` or a space between date and time, with a zone (`Z`,
  `+02:00`) or without, which is UTC; a date alone is its midnight; digits beyond microseconds
  are dropped.

Spaces and tabs around numbers, dates and timestamps are ignored. Strings are taken as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.contract.types import arrow_type, is_text
from beam_jobs.spec.fields import FieldType

Mask = npt.NDArray[np.bool_]

_EXACT_FLOAT = 2.0**53
_UTC = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class BooleanTokens:
    """The words that mean true and false."""

    true: tuple[str, ...] = ("true",)
    false: tuple[str, ...] = ("false",)


def cast(column: pa.Array, type_: FieldType, tokens: BooleanTokens) -> tuple[pa.Array, Mask | None]:
    """The column in its Arrow type, and which values did not fit (None: all fitted).

    A value that does not fit is null in the result; a null always fits.
    """
    target = arrow_type(type_)
    if column.type == target:
        return column, None
    if pa.types.is_dictionary(column.type):
        return cast(column.cast(column.type.value_type), type_, tokens)
    if is_text(column.type):
        return _from_text(column.cast(pa.string()), type_, tokens)
    return _from_values(column, target)


def _from_text(
    texts: pa.Array, type_: FieldType, tokens: BooleanTokens
) -> tuple[pa.Array, Mask | None]:
    if type_ == "string":
        return texts, None
    if type_ == "boolean":
        return _booleans(texts, tokens)
    try:
        return texts.cast(arrow_type(type_)), None
    except pa.ArrowInvalid:
        pass
    # Values repeat, wrong ones too: each distinct text is parsed once.
    encoded = texts.dictionary_encode()
    distinct = pc.utf8_trim(encoded.dictionary, " \t")
    if type_ == "timestamp":
        distinct = _with_zone(distinct)
    typed, fits = _parse_each(distinct, arrow_type(type_))
    if type_ == "integer":
        typed, fits = _integral_floats(distinct, typed, fits)
    codes = encoded.indices
    failed = ~pc.fill_null(pa.array(fits).take(codes), True).to_numpy(zero_copy_only=False)
    return typed.take(codes), failed if failed.any() else None


def _booleans(texts: pa.Array, tokens: BooleanTokens) -> tuple[pa.Array, Mask | None]:
    true = pc.is_in(texts, pa.array(tokens.true, pa.string()))
    false = pc.is_in(texts, pa.array(tokens.false, pa.string()))
    known = pc.or_(true, false)
    failed = pc.and_not(texts.is_valid(), known).to_numpy(zero_copy_only=False)
    return pc.if_else(known, true, pa.scalar(None, pa.bool_())), failed if failed.any() else None


def _parse_each(texts: pa.Array, target: pa.DataType) -> tuple[pa.Array, Mask]:
    """Arrow's own parser on the largest slices it takes: it says that one value is wrong, but
    not which, so slices are halved around the wrong ones."""
    plausible = r"[0-9]|(?i:nan|inf)"
    fits = pc.fill_null(pc.match_substring_regex(texts, plausible), True)
    texts = pc.if_else(fits, texts, pa.scalar(None, pa.string()))
    mask = fits.to_numpy(zero_copy_only=False).copy()
    pieces: list[pa.Array] = []
    slices = [(0, len(texts))]
    while slices:
        start, stop = slices.pop()
        try:
            pieces.append(texts.slice(start, stop - start).cast(target))
        except pa.ArrowInvalid:
            if stop - start == 1:
                pieces.append(pa.nulls(1, target))
                mask[start] = False
            else:
                middle = (start + stop) // 2
                slices += [(middle, stop), (start, middle)]
    return pa.concat_arrays(pieces), mask


def _integral_floats(texts: pa.Array, typed: pa.Array, fits: Mask) -> tuple[pa.Array, Mask]:
    wrong = np.flatnonzero(~fits)
    floats, _ = _parse_each(texts.take(pa.array(wrong)), pa.float64())
    values = floats.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        integral = (np.abs(values) < _EXACT_FLOAT) & (np.floor(values) == values)
    fits[wrong[integral]] = True
    mask = np.zeros(len(texts), bool)
    mask[wrong[integral]] = True
    return pc.replace_with_mask(typed, mask, pa.array(values[integral].astype(np.int64))), fits


def _with_zone(texts: pa.Array) -> pa.Array:
    """Timestamps as Arrow parses them: upper case, microseconds, a zone."""
    texts = pc.replace_substring_regex(pc.utf8_upper(texts), r"(\.\d{6})\d+", r"\1")
    texts = pc.replace_substring_regex(texts, r"^(\d{4}-\d\d-\d\d)$", r"\1T00:00")
    zoned = pc.match_substring_regex(texts, r"[T ].*(Z|[+-]\d\d(:?\d\d)?)$")
    return pc.if_else(zoned, texts, pc.binary_join_element_wise(texts, "Z", ""))


def _from_values(column: pa.Array, target: pa.DataType) -> tuple[pa.Array, Mask | None]:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return column.cast(target, safe=False), None
    try:
        return column.cast(target), None
    except pa.ArrowInvalid:
        pass
    typed = column.cast(target, safe=False)
    fits = pc.equal(typed.cast(column.type, safe=False), column)
    if target == pa.int64():
        # The two ends of int64 do not survive the way there and back on every processor.
        fits = pc.and_(fits, pc.less(pc.abs(column.cast(pa.float64(), safe=False)), 2.0**63))
    failed = ~pc.fill_null(fits, True).to_numpy(zero_copy_only=False)
    return pc.if_else(pa.array(~failed), typed, pa.scalar(None, target)), failed
