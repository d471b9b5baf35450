"""What the supervisor tells a streaming job's process."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Commands:
    """The lines `go` and `drain`, as they come."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._draining = False
        self._on_drain: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def hear(self, line: str) -> None:
        """Takes note of a line."""
        with self._lock:
            if line == "go":
                self._go.set()
            if line == "drain":
                self._draining = True
                self._on_drain()

    def await_go(self) -> None:
        self._go.wait()

    def on_drain(self, call: Callable[[], None]) -> None:
        """Has `call` called when the job is to be drained, at once if it is already."""
        with self._lock:
            self._on_drain = call
            if self._draining:
                call()
