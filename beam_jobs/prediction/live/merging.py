"""Calls that several threads make at the same time become one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from beam_jobs.prediction.live.bundles import BundlesUnderWay

Part = TypeVar("Part")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class CallBounds:
    """When a call has enough parts."""

    rows: int
    bytes: int
    wait_seconds: float
    """How long a call waits for more parts at most."""


class MergedCallError(Exception):
    """The call that a part was merged into failed as a whole; the cause says how."""


class MergedCalls(Generic[Part, Answer]):
    """One answer per part; parts that come at the same time are called together.

    The first thread that comes opens a call and leads it: it waits while other bundles are under
    way, until the bounds are reached, and calls for all. Who comes in between joins, and sleeps
    until the leader has the answers.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Part]], Sequence[Answer]],
        bounds: CallBounds,
        bundles: BundlesUnderWay,
    ) -> None:
        self._call = call
        self._bounds = bounds
        self._bundles = bundles
        self._changed = bundles.changed
        self._open: _MergedCall[Part, Answer] | None = None

    def answer(self, part: Part, rows: int, nbytes: int) -> Answer:
        """The part's answer, from a call that other threads' parts may be in.

        Raises MergedCallError when that call raised.
        """
        with self._changed:
            self._bundles.leave()
            call, place = self._join(part, rows, nbytes)
        if place == 0:
            self._lead(call)
        else:
            call.done.wait()
        if call.error is not None:
            raise MergedCallError(
                f"a call of {len(call.parts)} merged parts failed: {call.error!r}"
            ) from call.error
        return call.answers[place]

    def _join(self, part: Part, rows: int, nbytes: int) -> tuple[_MergedCall[Part, Answer], int]:
        """The call that the part goes with, and its place there; the first place leads."""
        call = self._open
        if call is None or not call.has_room(rows, nbytes):
            self._close(call)
            call = self._open = _MergedCall(self._bounds)
        place = call.add(part, rows, nbytes)
        if call.is_full:
            self._close(call)
        return call, place

    def _close(self, call: _MergedCall[Part, Answer] | None) -> None:
        """Nobody joins any more; its leader, should it be waiting, is told."""
        if call is not None and call is self._open:
            self._open = None
            self._changed.notify_all()

    def _lead(self, call: _MergedCall[Part, Answer]) -> None:
        try:
            self._wait_for_company(call)
            call.answers = self._call(call.parts)
            if len(call.answers) != len(call.parts):
                raise ValueError(f"{len(call.answers)} answers for {len(call.parts)} parts")
        except BaseException as error:
            call.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            call.done.set()

    def _wait_for_company(self, call: _MergedCall[Part, Answer]) -> None:
        deadline = time.monotonic() + self._bounds.wait_seconds
        with self._changed:
            try:
                while call is self._open and self._bundles.count():
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        break
                    self._changed.wait(remaining)
            finally:
                self._close(call)


class _MergedCall(Generic[Part, Answer]):
    """One call in the making; guarded by the condition until it is closed."""

    def __init__(self, bounds: CallBounds) -> None:
        self._bounds = bounds
        self._rows = 0
        self._nbytes = 0
        self.parts: list[Part] = []
        self.answers: Sequence[Answer] = ()
        self.error: BaseException | None = None
        self.done = threading.Event()

    def has_room(self, rows: int, nbytes: int) -> bool:
        return (
            self._rows + rows <= self._bounds.rows and self._nbytes + nbytes <= self._bounds.bytes
        )

    def add(self, part: Part, rows: int, nbytes: int) -> int:
        self.parts.append(part)
        self._rows += rows
        self._nbytes += nbytes
        return len(self.parts) - 1

    @property
    def is_full(self) -> bool:
        return self._rows >= self._bounds.rows or self._nbytes >= self._bounds.bytes
