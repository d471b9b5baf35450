from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from beam_jobs.transforms.prefetch import prefetched
from tests.support.patience import PATIENCE_S


def test_items_come_in_their_order() -> None:
    assert list(prefetched(iter(range(100)))) == list(range(100))


def test_the_next_item_is_made_while_the_present_one_is_used() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    ahead = prefetched(items())
    assert next(ahead) == 1
    assert made.wait(PATIENCE_S)


def test_an_error_comes_where_the_item_would_have_come() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the file is damaged")

    ahead = prefetched(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="the file is damaged"):
        next(ahead)


def test_no_thread_is_left_when_the_caller_stops_early() -> None:
    ahead = prefetched(iter(range(100)))
    assert next(ahead) == 0
    ahead.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if "prefetch" in thread.name]
