"""How many histories there were to a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Tally:
    """Counts histories and the time that they take; what is set up for all of them is left out."""

    def __init__(self) -> None:
        self.histories = 0
        self.seconds = 0.0

    @contextmanager
    def history(self) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.histories += 1
            self.seconds += time.monotonic() - begun

    def __str__(self) -> str:
        per_minute = 60 * self.histories / self.seconds if self.seconds else 0
        return f"{self.histories} histories, {per_minute:.0f} a minute"
