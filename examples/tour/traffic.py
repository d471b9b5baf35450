"""Requests that keep coming, at an even rate, and the answers to them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from beam_jobs.send.answers import percentile
from beam_jobs.send.listening import Listener, listening
from beam_jobs.send.messages import numbered
from beam_jobs.send.pacing import Pace, paced
from beam_jobs.send.publishing import Publisher
from examples.tour.answers import Answers

_RECENT_S = 5.0


class Traffic:
    """Requests `tour-0`, `tour-1` …, the payloads over and over, from a thread of its own."""

    def __init__(self, publisher: Publisher, payloads: Sequence[bytes], rate: float) -> None:
        self.answers = Answers()
        self.listener: Listener | None = None
        self._publisher = publisher
        self._payloads = payloads
        self._rate = rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, name="requests", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns once all that was sent is handed to Pub/Sub."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def ids(self) -> list[str]:
        """The names of all requests that were sent, in their order."""
        return [f"{_PREFIX}{number}" for number in range(self.answers.counts.sent)]

    @property
    def failure(self) -> str | None:
        """Why no more requests go out, or no more answers come in."""
        return self._publisher.failure or (self.listener.failure if self.listener else None)

    def line(self) -> str:
        """The state of things, on one line."""
        counts = self.answers.counts
        recent = self.answers.waits(time.monotonic() - _RECENT_S)
        p50, p99 = (_milliseconds(recent, percent) for percent in (50, 99))
        return (
            f"sent {counts.sent:,} · scored {counts.scored:,} · dead letters {counts.dead:,} · "
            f"waiting {counts.waiting:,} · answers now: p50 {p50}, p99 {p99}"
        )

    def _send(self) -> None:
        messages = numbered(self._payloads, sys.maxsize, _PREFIX)
        for batch in paced(messages, Pace(self._rate)):
            if self._over.is_set():
                return
            self.answers.asked((message.id for message in batch if message.id), time.monotonic())
            if not self._publisher.publish(batch):
                return


_PREFIX = "tour-"


@contextmanager
def flowing(
    topic: str, responses: str, payloads: Sequence[bytes], rate: float
) -> Iterator[Traffic]:
    """Traffic that can be started in the block, and is over with it. Topics are full paths."""
    with Publisher(topic, "request_id") as publisher:
        traffic = Traffic(publisher, payloads, rate)
        with listening(responses, traffic.answers.answered) as listener:
            traffic.listener = listener
            try:
                yield traffic
            finally:
                traffic.stop()


def _milliseconds(ascending: Sequence[float], percent: float) -> str:
    return f"{percentile(ascending, percent) * 1e3:,.0f} ms" if ascending else "-"
