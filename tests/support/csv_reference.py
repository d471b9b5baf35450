"""A slow, simple reader of CSV files: what the fast one must agree with, byte for byte.

Written with loops and the standard csv module, sharing nothing with the product.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

FLOAT = re.compile(
    r"[ \t]*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(?i:nan|inf|infinity))[ \t]*", re.ASCII
)
INTEGER = re.compile(r"[ \t]*(-?\d+)[ \t]*", re.ASCII)


def records(data: bytes, newlines_in_values: bool) -> Iterator[tuple[int, bytes, bool]]:
    """Position, content and whether a quote is left open, of every record that is not blank."""
    start = position = 0
    state = "start"
    while position < len(data):
        sign = data[position : position + 1]
        if sign in (b"\n", b"\r") and not (state == "quoted" and newlines_in_values):
            if start < position:
                yield start, data[start:position], state == "quoted"
            position += 2 if data[position : position + 2] == b"\r\n" else 1
            start, state = position, "start"
            continue
        if state == "quoted":
            if sign == b'"' and data[position + 1 : position + 2] == b'"':
                position += 1
            elif sign == b'"':
                state = "plain"
        elif sign == b",":
            state = "start"
        elif sign == b'"' and state == "start":
            state = "quoted"
        else:
            state = "plain"
        position += 1
    if start < len(data) and state == "quoted" and newlines_in_values:
        # Only the first line is lost.
        first = re.split(rb"\r\n|\r|\n", data[start:])[0]
        yield start, first, True
        rest = start + len(first)
        for later, content, opened in records(data[rest:], newlines_in_values):
            yield rest + later, content, opened
    elif start < len(data):
        yield start, data[start:], state == "quoted"


def verdict(
    record: bytes, opened: bool, types: list[str], newlines_in_values: bool
) -> str | tuple[Any, ...]:
    """The row's values, or the code of what is wrong with it; an empty cell is null."""
    if opened and newlines_in_values:
        return "unbalanced_quote"
    if b"\0" in record:
        return "nul_byte"
    try:
        text = record.decode()
    except UnicodeDecodeError:
        return "not_utf8"
    if opened:
        return "unbalanced_quote"
    cells = next(csv.reader(io.StringIO(text, newline="")))
    if len(cells) != len(types):
        return "column_count"
    values: list[Any] = []
    for cell, type_ in zip(cells, types, strict=True):
        value = _value(cell, type_) if cell else None
        if isinstance(value, _Wrong):
            return "wrong_type"
        if isinstance(value, float) and (value != value or abs(value) == float("inf")):
            return "not_finite"
        values.append(value)
    return tuple(values)


class _Wrong:
    pass


def _value(cell: str, type_: str) -> Any:
    if type_ == "string":
        return cell
    if type_ == "float":
        return float(cell) if FLOAT.fullmatch(cell) else _Wrong()
    if INTEGER.fullmatch(cell) and -(2**63) <= int(cell) < 2**63:
        return int(cell)
    if FLOAT.fullmatch(cell):
        number = float(cell)
        if abs(number) < 2**53 and number == int(number):
            return int(number)
    return _Wrong()
