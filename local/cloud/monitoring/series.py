"""What is sampled and what is answered: readings, series and their points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local.cloud.monitoring.metrics import METRICS, Metric

Value = int | float | str
Labels = dict[str, str]


@dataclass(frozen=True)
class Reading:
    """One value of one metric, as it was sampled.

    Of a DELTA metric it is the count since `since` (seconds since 1970), when counting began.
    """

    metric: str
    resource: Labels
    labels: Labels
    value: Value
    since: float = 0.0


@dataclass(frozen=True)
class Point:
    """A value at `end`, or of the time from `start` (exclusive) to `end`, in seconds since 1970."""

    start: float
    end: float
    value: Value


@dataclass(frozen=True)
class Series:
    """The points of one metric with one set of labels, newest first."""

    metric: Metric
    resource: Labels
    labels: Labels
    kind: str
    value_type: str
    points: list[Point] = field(default_factory=list)

    def with_points(self, points: list[Point], **changed: str) -> Series:
        """The same series, with other points and, if so, of another kind or value type."""
        kind = changed.get("kind", self.kind)
        value_type = changed.get("value_type", self.value_type)
        return Series(self.metric, self.resource, self.labels, kind, value_type, points)


def series_of(metric: str, resource: Labels, labels: Labels, samples: list[Point]) -> Series:
    """A series of what was sampled, oldest first, where each `start` is when counting began."""
    known = METRICS[metric]
    if known.kind == "DELTA":
        points = deltas(samples)
    else:
        points = [Point(sample.end, sample.end, sample.value) for sample in samples]
    return Series(known, resource, labels, known.kind, known.value_type, points[::-1])


def deltas(samples: list[Point]) -> list[Point]:
    """What was counted between one sample and the next. A smaller count began anew from zero."""
    points = []
    start, counted = 0.0, 0
    for sample in samples:
        total = int(sample.value)
        points.append(
            Point(
                max(start, sample.start),
                sample.end,
                total - counted if total >= counted else total,
            )
        )
        start, counted = sample.end, total
    return points


def typed_value(value: Value, value_type: str) -> dict[str, Any]:
    """A TypedValue. 64-bit integers are strings in JSON."""
    if value_type == "INT64":
        return {"int64Value": str(round(float(value)))}
    if value_type == "DOUBLE":
        return {"doubleValue": float(value)}
    return {"stringValue": str(value)}
