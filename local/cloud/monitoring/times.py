"""Moments and durations as Google's JSON has them, as seconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from local.cloud.http import ApiError

_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)s")


def rfc3339(time: float) -> str:
    """Seconds since 1970 as the service writes them, with microseconds."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str, field: str) -> float:
    """Seconds since 1970. Raises ApiError 400."""
    # Python knows six digits of a second, the service nine.
    shortened = re.sub(r"(\.\d{6})\d{1,3}", r"\1", text)
    try:
        time = datetime.fromisoformat(shortened)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise ApiError(400, f"Invalid value at '{field}' (Timestamp): {text!r}", "badRequest")
    return time.timestamp()


def duration(text: str, field: str) -> float:
    """A duration like 60s in seconds. Raises ApiError 400."""
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) if found else math.nan
    if math.isnan(seconds):
        raise ApiError(400, f"Invalid value at '{field}' (Duration): {text!r}", "badRequest")
    return seconds
