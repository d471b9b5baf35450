"""Ends a process in which no Python code can run any more."""

from __future__ import annotations

import faulthandler

_STDERR = 2
"""The descriptor: the object may have been replaced by one that is no file."""


class LastResort:
    """A timer outside of the interpreter, put off again and again by whoever watches.

    A model whose native code hangs while it holds the interpreter's lock stops every thread, the
    watchdog among them: then nobody puts the timer off, and the process ends with a traceback of
    all threads in its standard error. No suspects can be recorded then. One timer per process.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def put_off(self) -> None:
        """The process lives for so many seconds more, at least."""
        faulthandler.dump_traceback_later(self._seconds, exit=True, file=_STDERR)

    def cancel(self) -> None:
        faulthandler.cancel_dump_traceback_later()
