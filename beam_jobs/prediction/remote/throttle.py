"""Requests held back while the endpoint refuses most of them, and the time that this takes."""

from __future__ import annotations

import threading

from apache_beam.io.components.adaptive_throttler import ThrottlingSignaler
from apache_beam.io.components.util import MovingSum

from beam_jobs.inserts.patience import Clock

NAMESPACE = "nightstream.endpoint"
_WINDOW_MS = 10_000
_BUCKET_MS = 1_000
_OVERLOAD_RATIO = 2.0
"""So many requests are sent per answered one, before some are held back."""
_DELAY_SECONDS = 1.0


def share_held_back(requests: float, answered: float) -> float:
    """Share of further requests that had better not be sent, after so many and so many answered.

    Client-side throttling as in Google's SRE book, chapter 21, and as Beam's own throttler does it.
    """
    return max(0.0, (requests - _OVERLOAD_RATIO * answered) / (requests + 1))


class Throttle:
    """Client-side throttling for the requests of all threads of a process.

    Unlike Beam's throttler it counts a request once its end is known: of several at a time, those
    under way are no sign of overload. Seconds in which a request was held back, or waited because
    the endpoint was busy, are told to the runner as Beam's own handlers tell them, so that it does
    not take them for a lack of workers.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._requests = MovingSum(_WINDOW_MS, _BUCKET_MS)
        self._answered = MovingSum(_WINDOW_MS, _BUCKET_MS)
        self._signaler = ThrottlingSignaler(NAMESPACE)
        self._lock = threading.Lock()
        self._seconds = 0.0

    def admit(self) -> None:
        """Returns when a request may be sent."""
        while self._clock.chance() < self._share():
            self.wait(_DELAY_SECONDS)

    def note(self, busy: bool) -> None:
        """A request came to its end; busy: the endpoint would not take it."""
        with self._lock:
            now = self._now()
            self._requests.add(now, 1)
            self._answered.add(now, 0 if busy else 1)

    def wait(self, seconds: float) -> None:
        """Waits before a request is sent again that the endpoint was too busy for."""
        self._clock.sleep(seconds)
        with self._lock:
            self._seconds += seconds

    def report(self) -> None:
        """Tells the runner; to be called by a thread that processes a bundle."""
        with self._lock:
            whole = int(self._seconds)
            self._seconds -= whole
        if whole:
            self._signaler.signal_throttled(whole)

    def _share(self) -> float:
        with self._lock:
            now = self._now()
            return share_held_back(self._requests.sum(now), self._answered.sum(now))

    def _now(self) -> float:
        return self._clock.now() * 1_000
