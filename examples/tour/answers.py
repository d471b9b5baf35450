"""Which requests were answered, and when: all along, by people who do not stop to ask."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from beam_jobs.send.answers import SCORED, Answer


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer. Times are in seconds, by the monotonic clock."""

    at: float
    waited: float
    """Since its request was handed to Pub/Sub."""


@dataclass(frozen=True)
class Counts:
    """How many requests there are so far."""

    sent: int
    scored: int
    dead: int

    @property
    def waiting(self) -> int:
        return self.sent - self.scored - self.dead


class Answers:
    """What was asked and what was answered; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, float] = {}
        self._heard: list[Heard] = []
        self._sent = 0
        self._scored = 0

    def asked(self, request_ids: Iterable[str], at: float) -> None:
        with self._lock:
            for request_id in request_ids:
                self._waiting[request_id] = at
                self._sent += 1

    def answered(self, answers: Iterable[Answer], at: float) -> None:
        """Answers to others, and repeated ones, count for nothing."""
        with self._lock:
            for answer in answers:
                asked = self._waiting.pop(answer.request_id, None)
                if asked is not None:
                    self._heard.append(Heard(at, at - asked))
                    self._scored += answer.status == SCORED

    @property
    def counts(self) -> Counts:
        with self._lock:
            return Counts(self._sent, self._scored, len(self._heard) - self._scored)

    def waits(self, since: float) -> list[float]:
        """How long those waited who were answered since then, ascending, in seconds."""
        return sorted(heard.waited for heard in self._since(since))

    def gap(self, since: float) -> float:
        """The longest time without any answer, in seconds, from then to the latest answer."""
        moments = [since, *(heard.at for heard in self._since(since))]
        return max((b - a for a, b in pairwise(moments)), default=0.0)

    def _since(self, since: float) -> list[Heard]:
        with self._lock:
            return list(reversed(list(self._latest(since))))

    def _latest(self, since: float) -> Iterator[Heard]:
        for heard in reversed(self._heard):
            if heard.at < since:
                return
            yield heard
