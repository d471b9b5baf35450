"""Alignment: one point for each period, computed from the points in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from local.cloud.http import ApiError, unsupported
from local.cloud.monitoring.series import Point, Series

MIN_PERIOD_SECONDS = 60.0
NONE = "ALIGN_NONE"

Numbers = Sequence[float]


@dataclass(frozen=True)
class _Aligner:
    """How a period's values become one; `kinds` are those it applies to. Where they are not given,
    the kind and the value type stay as they are."""

    compute: Callable[[Numbers, float], float]
    kinds: tuple[str, ...] = ("GAUGE", "DELTA")
    kind: str | None = None
    value_type: str | None = None


_ALIGNERS = {
    "ALIGN_MIN": _Aligner(lambda values, _: min(values), ("GAUGE",)),
    "ALIGN_MAX": _Aligner(lambda values, _: max(values), ("GAUGE",)),
    "ALIGN_MEAN": _Aligner(lambda values, _: fmean(values), ("GAUGE",), value_type="DOUBLE"),
    "ALIGN_SUM": _Aligner(lambda values, _: sum(values)),
    "ALIGN_COUNT": _Aligner(lambda values, _: len(values), value_type="INT64"),
    "ALIGN_NEXT_OLDER": _Aligner(lambda values, _: values[0], ("GAUGE",)),
    "ALIGN_DELTA": _Aligner(lambda values, _: sum(values), ("DELTA",)),
    "ALIGN_RATE": _Aligner(
        lambda values, period: sum(values) / period, ("DELTA",), "GAUGE", "DOUBLE"
    ),
}


@dataclass(frozen=True)
class Alignment:
    """An aligner by its name, and its period in seconds."""

    aligner: str
    period: float

    def __post_init__(self) -> None:
        """Raises ApiError: 400 for a period that is too short, 501 for an aligner not known."""
        if self.aligner not in _ALIGNERS:
            raise unsupported(f"the aligner {self.aligner}; it has {', '.join(_ALIGNERS)}")
        if self.period < MIN_PERIOD_SECONDS:
            raise ApiError(
                400,
                f"Field aggregation.alignmentPeriod had an invalid value of {self.period:g}s: "
                "The alignment period must be at least 60 seconds.",
                "badRequest",
            )

    def apply(self, series: Series, start: float, end: float) -> Series:
        """Periods are counted back from `end`; one without any point has none afterwards, since a
        missing reading is not zero. Raises ApiError 400 where the aligner does not apply."""
        aligner = _ALIGNERS[self.aligner]
        if series.kind not in aligner.kinds or series.value_type == "STRING":
            raise ApiError(
                400,
                f"Field aggregation.perSeriesAligner had an invalid value of {self.aligner}: "
                f"The aligner cannot be applied to metrics with kind {series.kind} and value type "
                f"{series.value_type}.",
                "badRequest",
            )
        kind = aligner.kind or series.kind
        value_type = aligner.value_type or series.value_type
        points = [
            Point(
                period_end - self.period if kind == "DELTA" else period_end,
                period_end,
                aligner.compute(values, self.period),
            )
            for period_end, values in self._periods(series.points, end)
            if period_end > start
        ]
        return series.with_points(points, kind=kind, value_type=value_type)

    def _periods(self, points: Sequence[Point], end: float) -> list[tuple[float, list[float]]]:
        """The values of each period by its end, newest first."""
        periods: dict[int, list[float]] = {}
        for point in points:
            back = math.floor((end - point.end) / self.period)
            periods.setdefault(back, []).append(float(point.value))
        return [(end - back * self.period, values) for back, values in sorted(periods.items())]
