"""Which messages are the same by an attribute of theirs (`id_label`): pure bookkeeping."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

REMEMBERED_SECONDS = 600.0


@dataclass(frozen=True)
class Twin:
    """A message that came while another one with its id was being processed."""

    message: Any
    generation: int


class Duplicates:
    """Lets the first message of each id through, for ten minutes.

    A message that comes while the first one is under way may only be acknowledged with it: it may
    be the same one, delivered again because its lease was lost.
    """

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute
        self._under_way: dict[str, list[Twin]] = {}
        self._done: dict[str, float] = {}

    def sift(self, messages: list[Any], generation: int, now: float) -> tuple[list[Any], list[Any]]:
        """Of messages that have just been fetched, those to be processed, and those that are known
        to be done with; a message without the attribute is always processed."""
        self._forget(now)
        fresh, done = [], []
        for received in messages:
            id = self._id(received)
            if id in self._done:
                done.append(received)
            elif id in self._under_way:
                self._under_way[id].append(Twin(received, generation))
            else:
                fresh.append(received)
                if id:
                    self._under_way[id] = []
        return fresh, done

    def finish(self, messages: list[Any], now: float) -> list[Twin]:
        """Notes that messages are done with; answers those that are so with them."""
        twins: list[Twin] = []
        for id in filter(None, map(self._id, messages)):
            twins += self._under_way.pop(id, [])
            self._done[id] = now
        return twins

    def _id(self, received: Any) -> str:
        return str(received.message.attributes.get(self._attribute, ""))

    def _forget(self, now: float) -> None:
        old = itertools.takewhile(
            lambda id: self._done[id] < now - REMEMBERED_SECONDS, list(self._done)
        )
        for id in old:
            del self._done[id]
