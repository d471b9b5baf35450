"""Which bundles of this process may soon ask for predictions.

A call of the model waits for company only while such a bundle is under way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FORGOTTEN_AFTER_SECONDS = 10.0
"""A bundle that failed never leaves; it is not waited for any more once it is this old."""


class BundlesUnderWay:
    """Counts bundles by the thread that processes them, from their start to their last batch.

    A thread has one bundle at a time: a bundle that failed is forgotten when its thread begins
    another.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[int, float] = {}
        self.changed = threading.Condition()
        """Notified whenever a bundle leaves."""

    def enter(self) -> None:
        """The calling thread begins a bundle (in start_bundle, before any message is looked at)."""
        with self.changed:
            self._begun[threading.get_ident()] = self._clock()

    def leave(self) -> None:
        """The calling thread's bundle has asked for its last prediction, or never will.

        To be called at the end of finish_bundle; done already when its last batch was merged.
        """
        with self.changed:
            if self._begun.pop(threading.get_ident(), None) is not None:
                self.changed.notify_all()

    def count(self) -> int:
        """Bundles, of any thread, that entered and have not left."""
        oldest = self._clock() - FORGOTTEN_AFTER_SECONDS
        with self.changed:
            return sum(begun > oldest for begun in self._begun.values())


bundles_under_way = BundlesUnderWay()
"""Of this process: the collecting of messages counts, the merging of calls looks at it."""
