"""How many histories there were to a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class Tally:
    """Counts histories and the time that they take; what is set up for all of them is left out."""

    def __init__(self) -> None:
        self.histories = 0
        self.seconds = 0.0

    @contextmanager
    def history(self, count: int = 1) -> Iterator[None]:
        """Within it, so many histories are played."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.histories += count
            self.seconds += time.monotonic() - begun

    def report(self, config: pytest.Config) -> None:
        """Tells it on the terminal of the test run, where there is one."""
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        capture = config.pluginmanager.get_plugin("capturemanager")
        if terminal and capture:
            with capture.global_and_fixture_disabled():
                terminal.write_line(f"\n{self}")

    def __str__(self) -> str:
        per_minute = 60 * self.histories / self.seconds if self.seconds else 0
        return f"{self.histories} histories, {per_minute:.0f} a minute"
