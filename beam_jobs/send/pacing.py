"""When which message is due, at an even rate."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from beam_jobs.send.messages import MOST_MESSAGES

Item = TypeVar("Item")

_TICK_S = 0.01
"""Messages due within it go together: a publish request costs as much as some 20 messages."""


@dataclass(frozen=True)
class Pace:
    """An even rate; the first message is due at once."""

    rate: float | None
    """Messages a second; None is as fast as they are taken."""

    def due(self, elapsed: float) -> int:
        """How many messages are due within `elapsed` seconds of the start."""
        return sys.maxsize if self.rate is None else math.floor(elapsed * self.rate) + 1

    def pause(self, sent: int, elapsed: float) -> float:
        """Seconds until the last of the messages that go together next is due."""
        if self.rate is None:
            return 0.0
        together = max(1, int(self.rate * _TICK_S))
        return max(0.0, (sent + together - 1) / self.rate - elapsed)


def paced(
    items: Iterator[Item],
    pace: Pace,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[list[Item]]:
    """The items in lists of up to 1,000, none before it is due. After a delay they come faster,
    until the rate is that of the whole time again."""
    began = clock()
    sent = 0
    while True:
        sleep(pace.pause(sent, clock() - began))
        # At least one: the clock may round to just before the moment it was to sleep to.
        due = max(1, pace.due(clock() - began) - sent)
        batch = list(islice(items, min(due, MOST_MESSAGES)))
        if not batch:
            return
        yield batch
        sent += len(batch)
