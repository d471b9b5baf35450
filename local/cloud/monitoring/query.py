"""A request to list time series: what it asks for, and the answer's shape."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.http import ApiError, unsupported
from local.cloud.monitoring.alignment import NONE, Alignment
from local.cloud.monitoring.filters import Filter, parse_filter
from local.cloud.monitoring.series import Point, Series, typed_value
from local.cloud.monitoring.times import duration, moment, rfc3339

MOST_POINTS = 100_000
_VIEWS = {"FULL": "FULL", "HEADERS": "HEADERS", "0": "FULL", "1": "HEADERS"}


@dataclass(frozen=True)
class Page:
    """Where a page begins: after so many items, of those that were visible at the first page."""

    skip: int = 0
    visible: float = math.inf

    @classmethod
    def of(cls, token: str) -> Page:
        """Raises ApiError 400."""
        found = re.fullmatch(r"(\d+)-(\d+\.\d+)", token)
        if not found:
            raise _bad("pageToken", "it is none of this server's")
        return cls(int(found[1]), float(found[2]))

    def token(self) -> str:
        return f"{self.skip}-{self.visible!r}"


@dataclass(frozen=True)
class Query:
    """`start` (exclusive) and `end` are in seconds since 1970; `most` is of points for the full
    view, of series for headers."""

    filter: Filter
    start: float
    end: float
    alignment: Alignment | None
    headers: bool
    most: int
    page: Page


def query_of(parameters: Mapping[str, str]) -> Query:
    """Reads the parameters of timeSeries.list. Raises ApiError 400 or 501."""
    for name in parameters:
        if name.startswith("secondaryAggregation."):
            raise unsupported(f"listing time series by {name}")
    if parameters.get("orderBy"):
        raise _bad("orderBy", "it must be left blank")
    if not parameters.get("filter"):
        raise _bad("filter", "it is required")
    if not parameters.get("interval.endTime"):
        raise _bad("interval.endTime", "it is required")
    view = _VIEWS.get(parameters.get("view") or "FULL")
    if not view:
        raise _bad("view", "it is FULL or HEADERS")
    end = moment(parameters["interval.endTime"], "interval.end_time")
    start = moment(
        parameters.get("interval.startTime") or parameters["interval.endTime"],
        "interval.start_time",
    )
    if start > end:
        raise _bad("interval.startTime", "it is later than the end time")
    return Query(
        parse_filter(parameters["filter"]),
        start,
        end,
        _alignment(parameters),
        view == "HEADERS",
        _page_size(parameters.get("pageSize") or "0"),
        Page.of(parameters["pageToken"]) if parameters.get("pageToken") else Page(),
    )


def _alignment(parameters: Mapping[str, str]) -> Alignment | None:
    reducer = parameters.get("aggregation.crossSeriesReducer", "REDUCE_NONE")
    if reducer != "REDUCE_NONE":
        raise unsupported(f"the reducer {reducer} over several time series")
    aligner = parameters.get("aggregation.perSeriesAligner", NONE)
    if aligner == NONE:
        return None
    if not parameters.get("aggregation.alignmentPeriod"):
        raise _bad("aggregation.alignmentPeriod", f"it is required with {aligner}")
    period = duration(parameters["aggregation.alignmentPeriod"], "aggregation.alignment_period")
    return Alignment(aligner, period)


def _page_size(text: str) -> int:
    if not text.isdecimal():
        raise _bad("pageSize", "it is not a number")
    return min(int(text) or MOST_POINTS, MOST_POINTS)


def _bad(name: str, why: str) -> ApiError:
    return ApiError(400, f"Field {name} had an invalid value: {why}.", "badRequest")


def answer(series: Sequence[Series], query: Query, visible: float) -> dict[str, Any]:
    """A page of the ListTimeSeriesResponse; points up to `visible` are there to be shown."""
    first, last = query.page.skip, query.page.skip + query.most
    if query.headers:
        count = len(series)
        shown = [_header(one) for one in series[first:last]]
    else:
        points = [(one, point) for one in series for point in one.points]
        count = len(points)
        shown = _grouped(points[first:last])
    body: dict[str, Any] = {"timeSeries": shown}
    if last < count:
        body["nextPageToken"] = Page(last, visible).token()
    if unit := query.filter.metric.unit:
        body["unit"] = unit
    return body


def _grouped(points: Iterable[tuple[Series, Point]]) -> list[dict[str, Any]]:
    groups = itertools.groupby(points, key=lambda pair: id(pair[0]))
    runs = [list(run) for _, run in groups]
    return [
        {**_header(run[0][0]), "points": [_point(p, one.value_type) for one, p in run]}
        for run in runs
    ]


def _header(series: Series) -> dict[str, Any]:
    return {
        "metric": {"type": series.metric.type, "labels": series.labels},
        "resource": {"type": series.metric.resource.type, "labels": series.resource},
        "metricKind": series.kind,
        "valueType": series.value_type,
    }


def _point(point: Point, value_type: str) -> dict[str, Any]:
    return {
        "interval": {"startTime": rfc3339(point.start), "endTime": rfc3339(point.end)},
        "value": typed_value(point.value, value_type),
    }
