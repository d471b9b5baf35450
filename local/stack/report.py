"""What a person sees while the stack starts and stops: one line per component."""

from __future__ import annotations

from typing import Protocol

from rich.console import Console
from rich.text import Text


class Report(Protocol):
    def waiting(self, what: str) -> None:
        """Shown until the next call, where the output is a terminal."""

    def done(self, name: str, seconds: float | None, note: str = "") -> None: ...

    def say(self, message: str) -> None: ...


class Silent:
    """For programs that use a stack."""

    def waiting(self, what: str) -> None:
        del what

    def done(self, name: str, seconds: float | None, note: str = "") -> None:
        del name, seconds, note

    def say(self, message: str) -> None:
        del message


class Lines:
    """Lines on a console, with a spinner between them where it is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = console.status("")

    def waiting(self, what: str) -> None:
        self._spinner.update(f"waiting for {what}")
        if self._console.is_terminal:
            self._spinner.start()

    def done(self, name: str, seconds: float | None, note: str = "") -> None:
        took = "" if seconds is None else f"{seconds:.1f} s"
        self._line(Text.assemble(("  ✓ ", "green"), f"{name:<14}{took:>7}  ", (note, "dim")))

    def say(self, message: str) -> None:
        self._line(Text(message))

    def _line(self, text: Text) -> None:
        self._spinner.stop()
        self._console.print(text, soft_wrap=True)
