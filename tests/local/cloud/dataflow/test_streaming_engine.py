"""The engine of streaming jobs: what is committed, when it is acknowledged, what is kept alive."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import BytesCoder
from apache_beam.transforms import trigger, window
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from local.cloud.dataflow.worker.streaming.steps import Steps
from local.cloud.dataflow.worker.streaming.watchdog import Watchdog
from tests.support.dataflow_cloud import eventually
from tests.support.patience import PATIENCE_S
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.streaming_engine import Build, StreamingRun, held

LIVES: Counter[str] = Counter()
PRIVATE: list[int] = []
GATE = threading.Event()
WORDS = [b"w%d" % number for number in range(60)]

Start = Callable[..., StreamingRun]


@pytest.fixture
def start(pubsub: PubsubEmulator) -> Iterator[Start]:
    """Starts pipelines that end with the test."""
    runs: list[StreamingRun] = []

    def started(build: Build, **how: Any) -> StreamingRun:
        runs.append(StreamingRun(pubsub, build, **how))
        return runs[-1]

    GATE.clear()
    yield started
    GATE.set()
    for run in runs:
        run.end()


class Live(beam.DoFn):
    """Counts what happens to it."""

    def setup(self) -> None:
        LIVES["setup"] += 1

    def start_bundle(self) -> None:
        LIVES["bundles"] += 1

    def process(self, element: bytes) -> Iterator[bytes]:
        if element == b"fall" and LIVES["falls"] == 0:
            LIVES["falls"] += 1
            raise RuntimeError("fallen")
        yield element

    def teardown(self) -> None:
        LIVES["teardown"] += 1


class LiveState(Live):
    """The same with state."""

    SEEN = ReadModifyWriteStateSpec("seen", BytesCoder())

    def process(self, element: Any, seen: Any = beam.DoFn.StateParam(SEEN)) -> Iterator[bytes]:  # noqa: B008
        seen.write(element[1])
        yield element[1]


class LiveWith(Live):
    """The same with a side input."""

    def process(self, element: bytes, side: bytes) -> Iterator[Any]:  # type: ignore[override]
        yield element, side


class LateRiser(Live):
    """One that cannot be set up at first."""

    def setup(self) -> None:
        super().setup()
        if LIVES["setup"] == 1:
            raise RuntimeError("not yet")


def test_a_dofn_is_set_up_once_and_replaced_when_it_raises(start: Start) -> None:
    LIVES.clear()
    run = start(lambda messages: messages | beam.ParDo(Live()), bundle=1)
    run.wire.send(*WORDS)
    run.collect(60)
    assert LIVES == {"setup": 1, "bundles": 60}
    run.wire.send(b"fall")
    run.collect(61)
    assert LIVES["setup"] == 2
    run.end()
    assert LIVES["teardown"] == 2


def test_dofns_are_set_up_before_the_first_message_but_for_those_with_side_inputs(
    start: Start,
) -> None:
    def build(messages: Any) -> Any:
        side = messages.pipeline | beam.Create([b"side"])
        keyed = messages | beam.ParDo(Live()) | beam.WithKeys("all")
        return (
            keyed | beam.ParDo(LiveState()) | beam.ParDo(LiveWith(), beam.pvalue.AsSingleton(side))
        )

    LIVES.clear()
    run = start(build)
    eventually(lambda: LIVES["setup"] == 2)
    assert LIVES["bundles"] == 0
    run.wire.send(b"word")
    assert run.collect(1) == [(b"word", b"side")]
    assert LIVES["setup"] == 3


def test_a_dofn_that_cannot_be_set_up_is_tried_again_with_its_first_bundle(start: Start) -> None:
    LIVES.clear()
    run = start(lambda messages: messages | beam.ParDo(LateRiser()))
    eventually(lambda: LIVES["setup"] == 1)
    run.wire.send(b"word")
    assert run.collect(1) == [b"word"]
    assert LIVES["setup"] == 2


@pytest.mark.parametrize("bundle", [1, 7, 1_000])
def test_bundles_hold_no_more_messages_than_allowed(start: Start, bundle: int) -> None:
    run = start(lambda messages: messages | beam.BatchElements(1_000, 1_000), bundle=bundle)
    run.wire.send(*WORDS)
    while sum(len(batch) for batch in run.collected) < len(WORDS):
        time.sleep(0.01)
    assert max(len(batch) for batch in run.end()) <= bundle
    assert sorted(word for batch in run.collected for word in batch) == sorted(WORDS)


def fail_late(word: bytes) -> bytes:
    if word == b"bad" and LIVES["late"] < 3:
        LIVES["late"] += 1
        raise RuntimeError("too late")
    return word


def test_a_first_stage_that_fails_leaves_nothing_behind(start: Start) -> None:
    LIVES.clear()

    def build(messages: Any) -> Any:
        early = messages | "Group early" >> beam.Reshuffle()
        late = messages | beam.Map(fail_late) | "Group late" >> beam.Reshuffle()
        return (early, late) | beam.Flatten()

    run = start(build)
    run.wire.send(*WORDS, b"bad")
    run.collect(2 * len(WORDS) + 2)
    assert run.end() == sorted([*WORDS, b"bad"] * 2)


def fail_twice(word: bytes) -> bytes:
    LIVES["attempts"] += 1
    if LIVES["attempts"] < 3:
        raise RuntimeError("not yet")
    return word


def test_a_later_stage_that_fails_is_tried_again_by_itself(start: Start) -> None:
    LIVES.clear()
    run = start(lambda messages: messages | beam.Reshuffle() | beam.Map(fail_twice))
    run.wire.send(b"word")
    assert run.collect(1) == [b"word"]
    assert run.end() == [b"word"]
    assert LIVES["attempts"] == 3


def refuse_bad(word: bytes) -> bytes:
    if word == b"bad":
        raise RuntimeError("always")
    return word


def test_a_job_that_hands_over_gives_back_what_keeps_failing(start: Start) -> None:
    run = start(lambda messages: messages | beam.Map(refuse_bad), bundle=1)
    run.wire.send(b"bad", b"good")
    run.collect(1)
    assert run.end(hand_over=True) == [b"good"]
    assert run.wire.unread() == [b"bad"]


def test_it_gives_back_what_fails_in_a_later_stage_and_all_that_came_after(start: Start) -> None:
    run = start(lambda messages: messages | beam.Reshuffle() | beam.Map(refuse_bad), bundle=1)
    run.wire.send(b"good")
    run.collect(1)
    run.wire.send(b"bad")
    eventually(lambda: held(run))
    run.wire.send(b"after")
    run.collect(2)
    assert run.end(hand_over=True) == [b"after", b"good"]
    assert sorted(run.wire.unread()) == [b"after", b"bad"]


def note(word: bytes) -> bytes:
    LIVES["noted"] += 1
    return word


def count_by_day(messages: Any) -> Any:
    days = messages | beam.Map(note) | beam.WindowInto(window.FixedWindows(86_400))
    return days | beam.combiners.Count.PerElement()


@pytest.mark.parametrize(("acknowledge", "unread"), [("committed", [b"held"]), ("first-stage", [])])
def test_a_message_in_an_open_window_is_acknowledged_only_as_dataflow_does_it(
    start: Start, acknowledge: str, unread: list[bytes]
) -> None:
    LIVES.clear()
    run = start(count_by_day, acknowledge=acknowledge)
    run.wire.send(b"held")
    eventually(lambda: LIVES["noted"])
    eventually(lambda: held(run) == len(unread))
    time.sleep(0.3)
    run.engine.give_back()
    assert run.wire.unread() == unread
    assert run.collected == []
    assert run.end() == [(b"held", 1)]


def test_a_grouping_needs_no_setup(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    LIVES.clear()
    run = start(count_by_day)
    run.wire.send(b"word")
    eventually(lambda: LIVES["noted"])
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_message_is_acknowledged_when_its_window_has_fired(start: Start) -> None:
    def build(messages: Any) -> Any:
        moments = messages | beam.WindowInto(window.FixedWindows(1))
        return moments | beam.combiners.Count.PerElement()

    run = start(build)
    run.wire.send(b"done")
    assert run.collect(1) == [(b"done", 1)]
    run.end()
    assert run.wire.unread() == []


def test_state_of_keys_that_are_done_with_is_forgotten(start: Start) -> None:
    def build(messages: Any) -> Any:
        moments = messages | beam.WindowInto(window.FixedWindows(1))
        return moments | beam.combiners.Count.PerElement()

    run = start(build)
    run.wire.send(*WORDS)
    run.collect(len(WORDS))
    eventually(lambda: not any(run.engine._graph._states.values()))


def test_triggers_fire_by_count(start: Start) -> None:
    def build(messages: Any) -> Any:
        return (
            messages
            | beam.WindowInto(
                window.GlobalWindows(),
                trigger=trigger.Repeatedly(trigger.AfterCount(3)),
                accumulation_mode=trigger.AccumulationMode.DISCARDING,
            )
            | beam.combiners.Count.PerElement()
        )

    run = start(build, bundle=1)
    run.wire.send(*[b"word"] * 7)
    assert run.collect(2) == [(b"word", 3), (b"word", 3)]
    assert run.end() == [(b"word", 3), (b"word", 3)]
    assert run.wire.unread() == [b"word"]


def test_side_inputs_are_there_before_the_first_message(start: Start) -> None:
    def build(messages: Any) -> Any:
        greeting = messages.pipeline | beam.Create([b"hello "])
        return messages | beam.Map(lambda word, g: g + word, beam.pvalue.AsSingleton(greeting))

    run = start(build)
    run.wire.send(b"world")
    assert run.collect(1) == [b"hello world"]


def test_event_times_come_from_an_attribute(start: Start) -> None:
    def build(messages: Any) -> Any:
        return messages | beam.Map(lambda word, at=beam.DoFn.TimestampParam: (word, at.micros))

    run = start(build, timestamp_attribute="at")
    run.wire.send(b"millis", at="1500")
    run.wire.send(b"text", at="1970-01-01T00:00:02.5Z")
    before = time.time()
    run.wire.send(b"none")
    times = dict(run.collect(3))
    assert (times[b"millis"], times[b"text"]) == (1_500_000, 2_500_000)
    assert abs(times[b"none"] / 1e6 - before) < 5


def wait_at_gate(word: bytes) -> bytes:
    GATE.wait(PATIENCE_S)
    return word


def test_messages_are_kept_from_redelivery_while_they_are_worked_on(start: Start) -> None:
    run = start(lambda messages: messages | beam.Map(wait_at_gate))
    run.wire.send(b"slow")
    time.sleep(12)  # longer than the subscription's acknowledgement deadline
    assert run.wire.unread() == []
    GATE.set()
    assert run.end() == [b"slow"]
    assert run.wire.unread() == []


def test_a_payload_of_nine_megabytes_and_an_empty_one_arrive(start: Start) -> None:
    run = start(lambda messages: messages | beam.Map(len))
    run.wire.send(bytes(9 << 20))
    run.wire.send(b"", only="attributes")
    assert run.collect(2) == [0, 9 << 20]


def test_an_element_that_takes_too_long_is_noticed() -> None:
    steps, noticed = Steps(), threading.Event()
    after: list[float] = []

    def abandon(_: str) -> None:
        assert steps.busy_since is not None
        after.append(time.monotonic() - steps.busy_since)
        noticed.set()

    Watchdog(steps, 0.2, abandon).start()
    for _ in range(4):
        if not noticed.is_set():  # this thread, too, may be at an element for longer than it meant
            steps.at_element()
            noticed.wait(0.1)
    assert noticed.wait(PATIENCE_S)
    assert after[0] > 0.2
