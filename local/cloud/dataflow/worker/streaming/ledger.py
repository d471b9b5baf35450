"""Which messages may be acknowledged, where local state must not be the only place they are in."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Ledger(Generic[T]):
    """Batches in the order of their commits, and what is still open behind their first stage.

    Something is *open* while it holds elements that have not been processed to the end: a pane that
    has not fired, a timer of the user, a bundle that waits. It is as old as the oldest batch that
    may have an element in it, and batches that are younger than nothing open are done with.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._batches: dict[int, T] = {}
        self._first_new: int | None = None
        self._ages: dict[Hashable, int] = {}

    @property
    def waiting(self) -> bool:
        """Whether there is any batch that is not done with."""
        return bool(self._batches)

    def add(self, batch: T) -> None:
        """A batch whose first stage has just been committed."""
        number = next(self._numbers)
        self._batches[number] = batch
        if self._first_new is None:
            self._first_new = number

    def settle(self, open_now: set[Hashable]) -> list[T]:
        """Takes note of what is open when nothing is under way; answers the batches done with."""
        # What has closed since may have gone on into anything that has opened since.
        ages = [age for thing, age in self._ages.items() if thing not in open_now]
        if self._first_new is not None:
            ages.append(self._first_new)
        age_of_new = min(ages, default=0)
        self._ages = {thing: self._ages.get(thing, age_of_new) for thing in open_now}
        self._first_new = None
        oldest = min(self._ages.values(), default=None)
        done = [n for n in self._batches if oldest is None or n < oldest]
        return [self._batches.pop(number) for number in done]
