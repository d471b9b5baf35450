"""A call that does not return in time is noticed, once it is, and no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue

import pytest

from beam_jobs.prediction.live.last_resort import LastResort
from beam_jobs.prediction.live.watchdog import Watchdog
from tests.support.patience import PATIENCE_S


@contextmanager
def started(seconds: float) -> Iterator[tuple[Watchdog[str], Queue[list[str]]]]:
    hanging: Queue[list[str]] = Queue()
    watchdog: Watchdog[str] = Watchdog(seconds, hanging.put, LastResort(60))
    watchdog.start()
    yield watchdog, hanging
    watchdog.close()


def test_a_call_that_hangs_is_noticed() -> None:
    with started(0.05) as (watchdog, hanging), watchdog.watching("slow"):
        assert hanging.get(timeout=PATIENCE_S) == ["slow"]


def test_calls_of_several_threads_that_hang_are_told_apart() -> None:
    release = threading.Event()

    def call(name: str) -> None:
        with watchdog.watching(name):
            release.wait(PATIENCE_S)

    with started(0.05) as (watchdog, hanging):
        threads = [threading.Thread(target=call, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        while set(hanging.get(timeout=PATIENCE_S)) != {"one", "two"}:
            pass
        release.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)


def test_a_call_that_returned_or_raised_is_not_watched_any_more() -> None:
    with started(0.05) as (watchdog, hanging):
        with watchdog.watching("returned"):
            pass
        with pytest.raises(ValueError, match="wrong"), watchdog.watching("raised"):
            raise ValueError("wrong")
        with pytest.raises(Empty):
            hanging.get(timeout=0.3)
