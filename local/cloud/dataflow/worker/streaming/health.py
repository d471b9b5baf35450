"""How far a streaming job is behind: what Cloud Monitoring tells of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

_NOT_BEGUN = Timestamp(0)


@dataclass(frozen=True)
class Reading:
    """A subscription: how many of its messages the job holds, and when the oldest of those that
    are not processed yet was published, in microseconds since 1970."""

    subscription: str
    held: int
    oldest: int | None


def health(readings: Iterable[Reading], watermark: Timestamp, now_micros: int) -> dict[str, Any]:
    """The content of the job's health.json but for its time, in seconds.

    `watermark` is that of the step which is furthest behind. The age of event time is null before
    anything is known of it and once it has come to its end, in a drain.
    """
    readings = list(readings)
    known = _NOT_BEGUN < watermark < MAX_TIMESTAMP
    oldest = [reading.oldest for reading in readings if reading.oldest is not None]
    return {
        "systemLagSeconds": _seconds(now_micros - min(oldest, default=now_micros)),
        "dataWatermarkAgeSeconds": _seconds(now_micros - watermark.micros) if known else None,
        "subscriptions": {reading.subscription: {"held": reading.held} for reading in readings},
    }


def _seconds(micros: int) -> float:
    return max(micros, 0) / 1e6
