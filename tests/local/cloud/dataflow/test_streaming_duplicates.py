"""Messages that are the same by their `id_label`."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
from hypothesis import given
from hypothesis import strategies as some

from local.cloud.dataflow.worker.streaming.duplicates import REMEMBERED_SECONDS, Duplicates
from tests.support.dataflow_cloud import eventually
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.streaming_engine import StreamingRun, held

GATE = threading.Event()


def message(id: str | None = None) -> Any:
    attributes = {} if id is None else {"id": id}
    return SimpleNamespace(message=SimpleNamespace(attributes=attributes))


def wait_at_gate(word: bytes) -> bytes:
    GATE.wait(60)
    return word


def test_an_id_is_let_through_once_and_again_after_ten_minutes() -> None:
    duplicates, first, second, third = Duplicates("id"), message("a"), message("a"), message("a")
    assert duplicates.sift([first], 0, now=0) == ([first], [])
    assert duplicates.finish([first], now=5) == []
    assert duplicates.sift([second], 0, now=5 + REMEMBERED_SECONDS) == ([], [second])
    assert duplicates.sift([third], 0, now=6 + REMEMBERED_SECONDS) == ([third], [])


def test_a_message_without_the_attribute_is_never_a_duplicate() -> None:
    duplicates, messages = Duplicates("id"), [message(), message(), message("")]
    assert duplicates.sift(messages, 0, now=0) == (messages, [])
    duplicates.finish(messages, now=0)
    assert duplicates.sift(messages, 0, now=1) == (messages, [])


def test_a_twin_is_done_with_when_the_first_one_is() -> None:
    duplicates, first, twin = Duplicates("id"), message("a"), message("a")
    duplicates.sift([first], 0, now=0)
    assert duplicates.sift([twin], 1, now=1) == ([], [])
    [finished] = duplicates.finish([first], now=2)
    assert (finished.message, finished.generation) == (twin, 1)


@given(some.lists(some.lists(some.integers(0, 5), max_size=6), max_size=12), some.data())
def test_every_message_is_acknowledged_once_and_every_id_processed_once(
    pulls: list[list[int]], data: Any
) -> None:
    duplicates, processed, waiting, acknowledged = Duplicates("id"), [], [], []
    for now, ids in enumerate(pulls):
        fresh, done = duplicates.sift([message(str(id)) for id in ids], 0, now)
        acknowledged += done
        waiting += fresh
        processed += [m.message.attributes["id"] for m in fresh]
        while waiting and data.draw(some.booleans()):
            first = waiting.pop(0)
            acknowledged += [first, *(t.message for t in duplicates.finish([first], now))]
    for first in waiting:
        acknowledged += [first, *(t.message for t in duplicates.finish([first], len(pulls)))]
    assert sorted(processed) == sorted({str(id) for ids in pulls for id in ids})
    assert len(acknowledged) == len({id(m) for m in acknowledged}) == sum(map(len, pulls))


def test_a_job_processes_each_id_once_and_acknowledges_all(pubsub: PubsubEmulator) -> None:
    GATE.clear()
    run = StreamingRun(pubsub, lambda messages: messages | beam.Map(wait_at_gate), id_label="id")
    for id in ("one", "two"):
        run.wire.send(b"first " + id.encode(), id=id)
    eventually(lambda: held(run) == 2)
    run.wire.send(b"while under way", id="one")
    run.wire.send(b"without an id")
    eventually(lambda: held(run) == 4)
    GATE.set()
    run.collect(3)
    run.wire.send(b"afterwards", id="two")
    run.wire.send(b"last")
    run.collect(4)
    eventually(lambda: held(run) == 0)
    assert run.end() == [b"first one", b"first two", b"last", b"without an id"]
    assert run.wire.unread() == []
