"""What the Dataflow API tells of a job, as the demo reads it."""

from __future__ import annotations

from typing import Any

from examples.demo.metrics import Spread, read_metrics


def update(name: str, namespace: str = "nightstream", **told: Any) -> dict[str, Any]:
    marks = {"tentative": "true"} if told.pop("tentative", False) else {}
    return {"name": {"name": name, "context": {"namespace": namespace, **marks}}, **told}


def test_counters_of_several_steps_are_added_and_attempts_left_out() -> None:
    metrics = read_metrics(
        [
            update("requests", scalar=3),
            update("requests", scalar=4),
            update("requests", scalar=99, tentative=True),
            update("requests", "somebody.else", scalar=99),
            {"name": {"name": "ElapsedTime"}, "scalar": 1.5},
        ]
    )
    assert metrics.counter("requests") == 7
    assert metrics.counter("scored") == 0


def test_distributions_have_a_mean_and_gauges_a_value() -> None:
    told = {"count": 4, "sum": 10, "min": 1, "max": 5}
    gauge = {"value": 1_700_000_000_000, "timestamp": "1"}
    metrics = read_metrics(
        [update("rows_per_batch", distribution=told), update("last_event_time_ms", gauge=gauge)]
    )
    assert metrics.distributions["rows_per_batch"].mean == 2.5
    assert metrics.gauges == {"last_event_time_ms": 1_700_000_000_000}
    assert Spread(0, 0, 0).mean == 0


def test_dead_requests_are_told_by_code() -> None:
    metrics = read_metrics(
        [
            update("dead", scalar=3),
            update("dead_not_json", scalar=2),
            update("dead_out_of_range", scalar=1),
        ]
    )
    assert metrics.dead == {"not_json": 2, "out_of_range": 1}


def test_percentiles_are_read_from_the_counters_by_bound() -> None:
    metrics = read_metrics(
        [
            update("scored", scalar=100),
            update("publish_to_scored_ms_le_50", scalar=60),
            update("publish_to_scored_ms_le_100", scalar=95),
            update("publish_to_scored_ms_le_60000", scalar=98),
        ]
    )
    assert metrics.scored_within(50) == 50
    assert metrics.scored_within(95) == 100
    assert metrics.scored_within(98) == 60_000
    assert metrics.scored_within(99) is None
