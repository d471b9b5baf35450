"""Making the next item while the present one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def prefetched(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same items, or the same error; each is made in a thread while the one before is used.

    Reading and parsing spend their time outside Python's global lock, and so does a model: on two
    cores they go on side by side, at the price of one block of rows in memory.
    """
    end = object()
    with ThreadPoolExecutor(1, "prefetch") as thread:
        ahead = thread.submit(next, items, end)
        while (item := ahead.result()) is not end:
            ahead = thread.submit(next, items, end)
            yield item  # type: ignore[misc]
