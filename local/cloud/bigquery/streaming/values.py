"""One JSON value of an inserted row as a column's value, by the rules of insertAll.

Instants become microseconds since the epoch; everything else becomes what Arrow takes for its type.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from local.cloud.bigquery.schema import Field, by_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US = -62_135_596_800_000_000
_LAST_US = 253_402_300_799_999_999
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_DAY = r"(\d{4})-(\d{1,2})-(\d{1,2})"
_CLOCK = r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?"
_DATE = re.compile(_DAY)
_TIME = re.compile(_CLOCK)
_DATETIME = re.compile(rf"{_DAY}(?:[ Tt]{_CLOCK})?")
_TIMESTAMP = re.compile(
    rf"{_DAY}(?:[ Tt]{_CLOCK})?\s*(?:[Zz]|UTC|([+-])(\d{{1,2}})(?::?(\d{{2}}))?)?"
)
_WORDS = {"true": True, "t": True, "false": False, "f": False}
_FLOAT_WORDS = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}
_LARGEST_NUMERIC = Decimal(10) ** 29
_SMALLEST_NUMERIC = Decimal("1e-9")
_EXACTLY = Context(prec=77)
"""Twice the 38 digits of a NUMERIC; the usual 28 are not enough for one."""


class Bad(Exception):
    """A value that does not fit its field; `location` is the field's path."""

    def __init__(self, location: str, message: str) -> None:
        super().__init__(message)
        self.location = location
        self.message = message


def convert(field: Field, value: Any, path: str, *, ignore_unknown: bool) -> Any:
    """The value for Arrow. Raises Bad in BigQuery's words."""
    if field.mode == "REPEATED":
        if value is None:
            return []
        if not isinstance(value, list):
            raise Bad(path, f"Value has type {_kind(value)} but the field {path} is repeated.")
        if None in value:
            raise Bad(path, "Only optional fields can be set to NULL. Field: " + path)
        return [_one(field, item, path, ignore_unknown) for item in value]
    if value is None:
        return None
    if isinstance(value, list):
        raise Bad(path, f"Array specified for non-repeated field: {path}.")
    return _one(field, value, path, ignore_unknown)


def _one(field: Field, value: Any, path: str, ignore_unknown: bool) -> Any:
    if field.type == "RECORD":
        return _record(field, value, path, ignore_unknown)
    if isinstance(value, dict | list):
        raise Bad(path, f"This field: {path} is not a record.")
    try:
        return _READERS[field.type](value)
    except (ValueError, OverflowError, InvalidOperation, binascii.Error):
        raise Bad(path, _COMPLAINTS[field.type].format(value=value)) from None


def _record(field: Field, value: Any, path: str, ignore_unknown: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Bad(path, f"This field: {path} is not a record.")
    known = by_name(field.fields)
    given = {}
    for name, item in value.items():
        if name.lower() in known:
            given[known[name.lower()].name] = item
        elif not ignore_unknown:
            raise Bad(f"{path}.{name}", f"no such field: {path}.{name}.")
    return {
        f.name: convert(f, given.get(f.name), f"{path}.{f.name}", ignore_unknown=ignore_unknown)
        for f in field.fields
    }


def _kind(value: Any) -> str:
    return {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING"}.get(type(value), "STRUCT")


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise ValueError
        value = int(value)
    whole = int(value)
    if whole != value or not -(2**63) <= whole < 2**63:
        raise ValueError
    return whole


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        if value.strip().lower() not in _FLOAT_WORDS:
            raise ValueError
        return float(value)
    number = float(value)
    if math.isinf(number):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise ValueError


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError
    # URL-safe letters are accepted too.
    return base64.b64decode(value.translate({45: "+", 95: "/"}), validate=True)


def _numeric(value: Any) -> Decimal:
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        raise ValueError
    number = Decimal(str(value).strip())
    if not abs(number) < _LARGEST_NUMERIC:
        raise ValueError
    rounded = number.quantize(_SMALLEST_NUMERIC, context=_EXACTLY)
    if rounded != number:
        raise ValueError
    return rounded


def _matched(pattern: re.Pattern[str], value: Any) -> tuple[str | None, ...]:
    match = pattern.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError
    return match.groups()


def _day(year: str | None, month: str | None, day: str | None) -> date:
    return date(int(year or 0), int(month or 0), int(day or 0))


def _clock(*parts: str | None) -> time:
    hour, minute, second, fraction = parts
    micros = int((fraction or "0").ljust(6, "0"))
    return time(int(hour or 0), int(minute or 0), int(second or 0), micros)


def _date(value: Any) -> date:
    return _day(*_matched(_DATE, value))


def _time(value: Any) -> time:
    return _clock(*_matched(_TIME, value))


def _datetime(value: Any) -> datetime:
    parts = _matched(_DATETIME, value)
    return datetime.combine(_day(*parts[:3]), _clock(*parts[3:]))


def _timestamp(value: Any) -> int:
    """Microseconds of an RFC 3339 text, of BigQuery's own format, or of seconds as a number."""
    if isinstance(value, bool):
        raise ValueError
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        micros = round(Decimal(str(value).strip()) * 1_000_000)
    else:
        parts = _matched(_TIMESTAMP, value)
        sign, hours, minutes = parts[7:]
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        moment = datetime.combine(_day(*parts[:3]), _clock(*parts[3:7]), UTC)
        since = moment - _EPOCH + (offset if sign == "-" else -offset)
        micros = since // timedelta(microseconds=1)
    if not _FIRST_US <= micros <= _LAST_US:
        raise ValueError
    return micros


_READERS: dict[str, Callable[[Any], Any]] = {
    "STRING": _string,
    "INTEGER": _integer,
    "FLOAT": _float,
    "BOOLEAN": _boolean,
    "BYTES": _bytes,
    "NUMERIC": _numeric,
    "DATE": _date,
    "TIME": _time,
    "DATETIME": _datetime,
    "TIMESTAMP": _timestamp,
}
_COMPLAINTS = {
    "STRING": "Cannot convert value to string (bad value): {value}",
    "INTEGER": "Cannot convert value to integer (bad value): {value}",
    "FLOAT": "Cannot convert value to floating point (bad value): {value}",
    "BOOLEAN": "Cannot convert value to boolean (bad value): {value}",
    "BYTES": "Could not decode base64 string to bytes.",
    "NUMERIC": "Invalid NUMERIC value: {value}",
    "DATE": 'Invalid date: "{value}"',
    "TIME": 'Invalid time string "{value}"',
    "DATETIME": 'Invalid datetime string "{value}"',
    "TIMESTAMP": "Could not parse '{value}' as a timestamp. Required format is "
    "YYYY-MM-DD HH:MM[:SS[.SSSSSS]]",
}
