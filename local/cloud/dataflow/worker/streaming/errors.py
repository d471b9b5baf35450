"""Errors of the pipeline's code, told without flooding the job's messages."""

from __future__ import annotations

import logging
import time

MESSAGE_SECONDS = 1.0


class ErrorLog:
    """Logs errors; at most one a second as an error, which becomes a message of the job."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told = float("-inf")

    def report(self, step: str, error: Exception) -> None:
        level, now = logging.WARNING, time.monotonic()
        if now - self._told >= MESSAGE_SECONDS:
            level, self._told = logging.ERROR, now
        self._log.log(level, "%s failed; it is tried again", step, exc_info=error)
