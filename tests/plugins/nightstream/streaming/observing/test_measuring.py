"""Readings of a job: through the real APIs, and with each of them missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nightstream.hooks.monitoring import MonitoringHook
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.streaming.measuring import Gauges
from tests.plugins.nightstream.streaming.observing.conftest import Watched
from tests.support.dataflow_cloud import eventually


def seen(watched: Watched) -> SeenJob:
    return watched.snapshot().jobs[-1]


def read(watched: Watched, job: SeenJob, *earlier: Reading) -> Reading:
    gauges = Gauges(watched.dataflow, MonitoringHook(watched.environment))
    return gauges.read(job, watched.subscription, earlier, datetime.now(UTC))


def test_a_job_that_has_counted_nothing_has_counted_nothing_and_its_watermark_is_unknown(
    watched: Watched,
) -> None:
    watched.job(watched.plan().revision)

    reading = read(watched, seen(watched))

    assert (reading.requests, reading.scored, reading.dead, reading.errors) == (0, 0, 0, 0)
    assert (reading.watermark_age_seconds, reading.last_event_at) == (None, None)


def test_what_waits_on_the_subscription_is_counted_and_has_an_age(watched: Watched) -> None:
    watched.job(watched.plan().revision)
    job = seen(watched)
    eventually(lambda: read(watched, job).backlog == 0)
    publisher = watched.pubsub.publisher()
    assert watched.spec.streaming is not None
    topic = publisher.topic_path(watched.environment.project, watched.spec.streaming.topic)
    for _ in range(3):
        publisher.publish(topic, b"{}").result(30)

    waiting = eventually(lambda: (found := read(watched, job)).backlog == 3 and found)
    older = eventually(
        lambda: (now := read(watched, job).oldest_unacked_seconds) and now >= 1 and now
    )

    assert (waiting.oldest_unacked_seconds or 0) <= older < 60


def test_error_messages_add_up_over_readings(watched: Watched) -> None:
    watched.failed_job(watched.plan().revision)
    job = seen(watched)

    first = read(watched, job)
    second = read(watched, job, first)
    unknown = second.model_copy(update={"errors": None, "at": second.at + timedelta(days=1)})

    assert (first.errors or 0) >= 1
    assert second.errors == first.errors
    assert read(watched, job, first, unknown).errors == first.errors
    assert read(watched, job, first.model_copy(update={"errors": 40})).errors == 40


@pytest.mark.parametrize("fault", [{"kind": "error", "code": 403}, {"kind": "reset"}])
@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("/metrics", {"requests", "scored", "dead"}),
        ("/messages", {"errors"}),
        ("/timeSeries", {"backlog", "oldest_unacked_seconds"}),
    ],
)
def test_an_api_that_fails_makes_its_readings_unknown_and_fails_nothing(
    watched: Watched,
    path: str,
    unknown: set[str],
    fault: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched.job(watched.plan().revision)
    job = seen(watched)
    eventually(lambda: read(watched, job).backlog == 0)
    watched.cloud.inject(path=f"{path}$", **fault)

    reading = read(watched, job)

    always_known = {"requests", "scored", "dead", "errors", "backlog", "oldest_unacked_seconds"}
    missing = {name for name in always_known if getattr(reading, name) is None}
    assert missing == unknown
    assert "could not be read, and count as unknown" in caplog.text


def test_a_point_that_is_not_fresh_is_missing(watched: Watched) -> None:
    watched.job(watched.plan().revision)
    job = seen(watched)
    eventually(lambda: read(watched, job).backlog == 0)
    later = datetime.now(UTC) + timedelta(seconds=watched.environment.monitoring.fresh_seconds)
    gauges = Gauges(watched.dataflow, MonitoringHook(watched.environment))

    assert gauges.read(job, watched.subscription, (), later + timedelta(hours=1)).backlog is None
