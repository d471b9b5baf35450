"""How far a streaming job is behind, as its folder tells Cloud Monitoring."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.transforms import window
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp

from local.cloud.dataflow.worker.streaming.health import Reading, health
from tests.support.dataflow_cloud import eventually
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.streaming_engine import StreamingRun, held

GATE = threading.Event()
NOW = 1_800_000_000_000_000


def wait_at_gate(word: bytes) -> bytes:
    GATE.wait(60)
    return word


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    GATE.clear()
    yield GATE
    GATE.set()


def test_the_lag_is_the_age_of_the_oldest_message_of_any_subscription() -> None:
    readings = [Reading("a", 3, NOW - 2_000_000), Reading("b", 1, NOW - 5_500_000)]
    told = health([*readings, Reading("c", 0, None)], Timestamp(micros=NOW - 9_000_000), NOW)
    assert told == {
        "systemLagSeconds": 5.5,
        "dataWatermarkAgeSeconds": 9.0,
        "subscriptions": {"a": {"held": 3}, "b": {"held": 1}, "c": {"held": 0}},
    }


@pytest.mark.parametrize("watermark", [MIN_TIMESTAMP, Timestamp(0), MAX_TIMESTAMP])
def test_an_event_time_that_says_nothing_has_no_age(watermark: Timestamp) -> None:
    assert health([], watermark, NOW)["dataWatermarkAgeSeconds"] is None


def test_a_clock_that_is_ahead_makes_no_negative_lag() -> None:
    told = health([Reading("a", 1, NOW + 5)], Timestamp(micros=NOW + 5), NOW)
    assert (told["systemLagSeconds"], told["dataWatermarkAgeSeconds"]) == (0, 0)


def test_a_step_that_hangs_is_seen_in_lag_and_watermark(
    pubsub: PubsubEmulator, gate: threading.Event
) -> None:
    run = StreamingRun(pubsub, lambda messages: messages | beam.Map(wait_at_gate), bundle=2)
    run.wire.send(b"a", b"b", b"c")
    eventually(lambda: held(run) == 3)
    behind = eventually(lambda: lagging(run, 1.0))
    assert behind["dataWatermarkAgeSeconds"] >= 1.0
    [told] = behind["subscriptions"].values()
    assert told == {"held": 3}
    gate.set()
    run.collect(3)
    caught_up = eventually(lambda: (told := run.engine.health())["systemLagSeconds"] == 0 and told)
    assert 0 < caught_up["dataWatermarkAgeSeconds"] < 30
    run.end()


def test_messages_in_an_open_window_are_held_and_are_no_lag(pubsub: PubsubEmulator) -> None:
    run = StreamingRun(
        pubsub,
        lambda messages: (
            messages
            | beam.WindowInto(window.FixedWindows(3600))
            | beam.combiners.Count.PerElement()
        ),
    )
    run.wire.send(b"a", b"b")
    eventually(lambda: held(run) == 2)
    time.sleep(0.3)
    assert run.engine.health()["systemLagSeconds"] == 0
    assert len(run.end()) == 2


def lagging(run: StreamingRun, seconds: float) -> dict[str, Any] | None:
    told = run.engine.health()
    return told if told["systemLagSeconds"] >= seconds else None
