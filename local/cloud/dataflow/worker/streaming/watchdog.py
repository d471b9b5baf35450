"""The time limit for a single element (element_processing_timeout_minutes)."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

from local.cloud.dataflow.worker.streaming.steps import Steps

CHECK_SECONDS = 0.5

log = logging.getLogger(__name__)


class Watchdog:
    """Calls `abandon` once the code has been at one element for longer than a limit."""

    def __init__(self, steps: Steps, limit: float, abandon: Callable[[str], None]) -> None:
        self._steps = steps
        self._limit = limit
        self._abandon = abandon
        self._watched = threading.current_thread().ident

    def start(self) -> None:
        """Watches the thread that made this object."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._exceeded():
            time.sleep(min(CHECK_SECONDS, self._limit))
        stack = sys._current_frames().get(self._watched or 0)
        where = "".join(traceback.format_stack(stack)) if stack else ""
        reason = (
            "Processing of an element has exceeded the specified timeout of "
            f"{self._limit / 60:.2f} minutes. The worker is abandoned."
        )
        log.error("%s Current traceback:\n%s", reason, where)
        self._abandon(reason)

    def _exceeded(self) -> bool:
        since = self._steps.busy_since
        return since is not None and time.monotonic() - since > self._limit
