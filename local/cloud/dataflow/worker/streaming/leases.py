"""Which pulled messages are held, and until when: pure bookkeeping."""

from __future__ import annotations

import itertools
from collections.abc import Iterable


class Leases:
    """Ids of held messages by the time of their last renewal, oldest first.

    A *generation* ends when the connection to Pub/Sub is lost: an emulator that starts anew may
    give the same ids to other messages, so ids of an earlier generation are worth nothing.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._renewed: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._renewed)

    def hold(self, ids: Iterable[str], now: float) -> None:
        self._renewed.update(zip(ids, itertools.repeat(now)))

    def release(self, ids: Iterable[str], generation: int) -> list[str]:
        """Lets messages go; answers the ids that are still good."""
        if generation != self.generation:
            return []
        return [id for id in ids if self._renewed.pop(id, None) is not None]

    def due(self, before: float, now: float) -> list[str]:
        """Ids last renewed before a moment; they count as renewed now."""
        late = list(itertools.takewhile(lambda id: self._renewed[id] < before, self._renewed))
        for id in late:
            del self._renewed[id]
            self._renewed[id] = now
        return late

    def end_generation(self) -> list[str]:
        """Lets everything go; answers the ids that were held."""
        held = list(self._renewed)
        self._renewed.clear()
        self.generation += 1
        return held
