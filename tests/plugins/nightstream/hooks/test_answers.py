"""What the answers of Dataflow and Cloud Monitoring say."""

from __future__ import annotations

from typing import Any

import pytest

from nightstream.hooks.dataflow_answers import counters_of, described_of, job_of, listed_of
from nightstream.hooks.monitoring import newest_of

JOB: dict[str, Any] = {
    "id": "job-1",
    "name": "weights-live-a",
    "createTime": "2026-01-01T02:03:04.123456789Z",
    "currentState": "JOB_STATE_RUNNING",
}


def a_metric(
    name: str, step: str = "s1", namespace: str = "nightstream", **more: Any
) -> dict[str, Any]:
    context = {"step": step, "namespace": namespace, **more.pop("context", {})}
    return {"name": {"origin": "user", "name": name, "context": context}, **more}


def test_a_state_that_is_missing_or_new_is_told_as_it_is() -> None:
    assert job_of({**JOB, "currentState": "JOB_STATE_PAUSED"}).state == "PAUSED"
    assert job_of({"id": "1", "name": "n"}).state == "UNKNOWN"


def test_times_in_nanoseconds_are_read() -> None:
    assert listed_of(JOB).created_at.isoformat() == "2026-01-01T02:03:04.123456+00:00"


@pytest.mark.parametrize(
    ("pools", "tuned", "bounds"),
    [
        ([], {}, (None, None)),
        ([{"numWorkers": 2.0, "autoscalingSettings": {"maxNumWorkers": 5.0}}], {}, (2, 5)),
        ([{"autoscalingSettings": {"maxNumWorkers": 5}}], {"minNumWorkers": 3}, (3, 5)),
        ([{"numWorkers": 2}], {"minNumWorkers": 1, "maxNumWorkers": 9}, (1, 9)),
    ],
)
def test_what_was_changed_in_flight_comes_before_what_the_job_was_launched_with(
    pools: list[dict[str, Any]], tuned: dict[str, int], bounds: tuple[int | None, int | None]
) -> None:
    resource = {**JOB, "environment": {"workerPools": pools}, "runtimeUpdatableParams": tuned}
    found = described_of(resource)
    assert (found.least_workers, found.most_workers) == bounds
    assert (found.replaces, described_of(resource | {"replaceJobId": "0"}).replaces) == (None, "0")


def test_committed_counters_of_ours_are_summed_over_the_steps() -> None:
    answer = {
        "metrics": [
            a_metric("requests", "s1", scalar=3),
            a_metric("requests", "s2", scalar=4),
            a_metric("requests", "s1", scalar=90, context={"tentative": "true"}),
            a_metric("requests", "s1", "somebody", scalar=900),
            a_metric("rows_per_batch", distribution={"count": 1}),
            {"name": {"origin": "dataflow/v1b3", "name": "ElementCount"}, "scalar": 7},
        ]
    }
    assert dict(counters_of(answer)) == {"requests": 7}


def test_of_gauges_the_latest_counts() -> None:
    gauges = [a_metric("last", f"s{value}", gauge={"value": str(value)}) for value in (5, 9, 2)]
    assert counters_of({"metrics": gauges})["last"] == 9


def test_what_has_not_counted_is_zero() -> None:
    assert counters_of({"metricTime": "2026-01-01T00:00:00Z"})["dead"] == 0


def a_series(*points: tuple[str, Any]) -> dict[str, Any]:
    return {"points": [{"interval": {"endTime": end}, "value": value} for end, value in points]}


def test_the_newest_point_of_all_series_counts() -> None:
    series = [
        a_series(("2026-01-01T00:02:00Z", {"int64Value": "4"})),
        a_series(
            ("2026-01-01T00:03:00.5Z", {"doubleValue": 5.5}),
            ("2026-01-01T00:01:00Z", {"doubleValue": 9.5}),
        ),
    ]
    assert newest_of({"timeSeries": series}) == 5.5


@pytest.mark.parametrize("answer", [{}, {"timeSeries": []}, {"timeSeries": [{"points": []}]}])
def test_where_there_is_no_point_there_is_no_reading(answer: dict[str, Any]) -> None:
    assert newest_of(answer) is None
