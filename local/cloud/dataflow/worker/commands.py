"""What the supervisor tells a streaming job's process."""

from __future__ import annotations

import threading
from collections.abc import Callable

GO = "go"
DRAIN = "drain"
"""Read no more and finish what has begun, however long that takes."""
HAND_OVER = "hand over"
"""Read no more and finish what can be finished: another job is to do the rest."""

OnEnd = Callable[[str], None]


class Commands:
    """The lines above, as they come."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._end: str | None = None
        self._on_end: OnEnd = lambda _: None
        self._lock = threading.Lock()

    def hear(self, line: str) -> None:
        """Takes note of a line."""
        with self._lock:
            if line == GO:
                self._go.set()
            elif line in (DRAIN, HAND_OVER):
                self._end = line
                self._on_end(line)

    def await_go(self) -> None:
        self._go.wait()

    def on_end(self, call: OnEnd) -> None:
        """Has `call` called with DRAIN or HAND_OVER when the job is to end, at once if it is
        already."""
        with self._lock:
            self._on_end = call
            if self._end:
                call(self._end)
