"""How long to wait before a request is sent again, and for how long in all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 30.0


@dataclass(frozen=True)
class Clock:
    """Time and chance."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    """In [0, 1)."""


def wait_before(retry: int, chance: float, retry_after: float | None) -> float:
    """Seconds before the retry of that number, from 0: exponential with full jitter.

    Never less than the service asked for, never more than LONGEST_WAIT_S.
    """
    most = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(retry, 30))
    return min(LONGEST_WAIT_S, max(chance * most, retry_after or 0.0))


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks to wait, as a number or until a date; else None."""
    if header is None:
        return None
    try:
        if header.strip().isdecimal():
            return float(header)
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
