"""Notices that a call does not return."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from beam_jobs.prediction.live.last_resort import LastResort

Watched = TypeVar("Watched")


class Watchdog(Generic[Watched]):
    """One thread that watches calls of many; each is said to hang once it is under way too long.

    Looking costs nothing to those who call, so a hanging call is noticed up to a twentieth of the
    time late.
    """

    def __init__(
        self, seconds: float, on_hang: Callable[[list[Watched]], None], last_resort: LastResort
    ) -> None:
        self._seconds = seconds
        self._on_hang = on_hang
        self._last_resort = last_resort
        self._under_way: dict[int, tuple[float, Watched]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="model watchdog", daemon=True).start()

    def close(self) -> None:
        """Ends the watch."""
        self._closed.set()

    @contextmanager
    def watching(self, watched: Watched) -> Iterator[None]:
        """The call is under way inside of this block."""
        number = next(self._numbers)
        with self._lock:
            self._under_way[number] = (time.monotonic(), watched)
        try:
            yield
        finally:
            with self._lock:
                del self._under_way[number]

    def _watch(self) -> None:
        while not self._closed.wait(self._seconds / 20):
            self._last_resort.put_off()
            if hanging := self._hanging():
                self._on_hang(hanging)
        self._last_resort.cancel()

    def _hanging(self) -> list[Watched]:
        begun_by = time.monotonic() - self._seconds
        with self._lock:
            return [watched for begun, watched in self._under_way.values() if begun <= begun_by]
