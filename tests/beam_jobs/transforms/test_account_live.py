"""What is counted of written requests."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import apache_beam as beam
import pyarrow as pa

from beam_jobs.rows import DeadRow
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.transforms.account_live import LATENCY_BOUNDS_MS, AccountLive
from beam_jobs.transforms.coders import register_coders
from beam_jobs.transforms.elements import ScoredRequests
from tests.support.live_tables import a_micro_batch

SCORED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_scored_batch(
    ages: list[int], dead: list[DeadRow] | None = None, event: datetime | None = None
) -> ScoredRequests:
    """Requests published so many milliseconds before SCORED."""
    batch = a_micro_batch([1.0] * (len(ages) - len(dead or [])), dead or [])
    identity = batch.source.identity
    published = pa.array([SCORED - timedelta(milliseconds=age) for age in ages])
    for name, values in (
        ("published_at", published),
        ("event_time", pa.array([event] * len(ages))),
    ):
        column = values.cast(identity.schema.field(name).type)
        identity = identity.set_column(
            identity.schema.get_field_index(name), identity.schema.field(name), column
        )
    source = dataclasses.replace(batch.source, identity=identity)
    return dataclasses.replace(batch, source=source, scored_at=SCORED)


def measured(*batches: ScoredRequests) -> dict[str, Any]:
    """Values of counters, distributions and gauges, by name."""
    register_coders()
    pipeline = beam.Pipeline("FnApiRunner")
    (
        pipeline
        | beam.Create(list(batches), reshuffle=False).with_output_types(ScoredRequests)
        | beam.ParDo(AccountLive())
    )
    found = pipeline.run().metrics().query()
    return {
        item.key.metric.name: item.committed
        for kind in ("counters", "distributions", "gauges")
        for item in found[kind]
        if item.key.metric.namespace == "nightstream"
    }


def dead(code: ErrorCode, position: int) -> DeadRow:
    return DeadRow(Stage.VALIDATE, code, "wrong", b"payload", position)


def test_requests_are_counted_by_what_became_of_them() -> None:
    lost = [dead(ErrorCode.NOT_JSON, 2), dead(ErrorCode.WRONG_TYPE, 3), dead(ErrorCode.NOT_JSON, 4)]
    found = measured(a_scored_batch([10] * 5, lost), a_scored_batch([10] * 3))
    counts = {name: found[name] for name in ("requests", "scored", "dead", "batches")}
    assert counts == {"requests": 8, "scored": 5, "dead": 3, "batches": 2}
    assert (found["dead_not_json"], found["dead_wrong_type"]) == (2, 1)
    rows = found["rows_per_batch"]
    assert (rows.count, rows.sum, rows.min, rows.max) == (2, 8, 3, 5)


def test_the_time_from_publishing_to_scoring_is_a_distribution_with_readable_percentiles() -> None:
    found = measured(a_scored_batch([50, 51, 120, 999, 70_000]), a_scored_batch([3, -5]))
    took = found["publish_to_scored_ms"]
    assert (took.count, took.min, took.max) == (7, 0, 70_000)
    assert took.sum == 50 + 51 + 120 + 999 + 70_000 + 3
    within = {
        bound: found.get(f"publish_to_scored_ms_le_{bound}", 0) for bound in LATENCY_BOUNDS_MS
    }
    assert [within[bound] for bound in (50, 100, 150, 1_000, 60_000)] == [3, 4, 5, 6, 6]


def test_dead_requests_have_no_latency() -> None:
    found = measured(a_scored_batch([10], [dead(ErrorCode.NOT_JSON, 0)]))
    assert "publish_to_scored_ms" not in found
    assert found["dead"] == 1


def test_the_last_event_is_no_later_than_its_publishing() -> None:
    far = datetime(9999, 1, 1, tzinfo=UTC)
    hour = SCORED - timedelta(hours=1)
    assert measured(a_scored_batch([1_000], event=far))["last_event_time_ms"].value == _ms(
        SCORED - timedelta(seconds=1)
    )
    assert measured(a_scored_batch([1_000], event=hour))["last_event_time_ms"].value == _ms(hour)
    assert measured(a_scored_batch([2_000]))["last_event_time_ms"].value == _ms(
        SCORED - timedelta(seconds=2)
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000
