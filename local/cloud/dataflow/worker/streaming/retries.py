"""What happens to messages whose bundle failed: a pure plan.

Dataflow retries a failed bundle for ever. So does this, in two halves each time, so that a message
that always fails is soon alone and the others go on without it; alone it is tried again after a
growing pause.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 20.0


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(FIRST_PAUSE * 2.0 ** min(max(failures - 1, 0), 20), LONGEST_PAUSE)


@dataclass(order=True)
class Retry:
    """Messages to be run again, as a bundle of their own, at `due`."""

    due: float
    order: int
    messages: list[Any] = field(compare=False)
    generation: int = field(compare=False)
    failures: int = field(compare=False)


class Retries:
    """Failed messages, by the time of their next attempt."""

    def __init__(self) -> None:
        self._waiting: list[Retry] = []
        self._order = itertools.count()
        self.messages = 0

    def add(self, messages: list[Any], generation: int, failures: int, now: float) -> None:
        """Takes the messages of a bundle that has failed; a single one, so many times by now."""
        pause, middle = pause_after(failures), len(messages) // 2
        for half in filter(None, (messages[:middle], messages[middle:])):
            retry = Retry(now + pause, next(self._order), half, generation, failures)
            heapq.heappush(self._waiting, retry)
        self.messages += len(messages)

    def all(self) -> Iterator[Any]:
        """The messages that wait; for another thread too."""
        for retry in list(self._waiting):
            yield from retry.messages

    def due(self, now: float) -> bool:
        """Whether `take` would give something."""
        return bool(self._waiting) and self._waiting[0].due <= now

    def take(self, now: float) -> Retry | None:
        """One that is due."""
        if not self.due(now):
            return None
        retry = heapq.heappop(self._waiting)
        self.messages -= len(retry.messages)
        return retry
