"""Which requests were answered, how, and after how long."""

from __future__ import annotations

import json
import math
import threading
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SCORED = "scored"
"""The status of a request that has its prediction; any other is a failure."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as a caller who waits would read it."""

    request_id: str
    status: str
    error_code: str | None = None

    @property
    def outcome(self) -> str:
        """`scored`, or why not."""
        return self.status if self.status == SCORED else self.error_code or self.status


@dataclass(frozen=True)
class Summary:
    """What came of the requests that were sent."""

    asked: int
    outcomes: dict[str, int]
    """Answers by outcome: `scored`, or the error's code."""
    latencies: Sequence[float] = field(repr=False)
    """Seconds from the publish call to the answer, ascending."""

    @property
    def answered(self) -> int:
        return sum(self.outcomes.values())

    @property
    def unanswered(self) -> int:
        return self.asked - self.answered

    def latency(self, percent: float) -> float:
        """Seconds within which so many percent of the answers came."""
        return percentile(self.latencies, percent)


def read_answer(attributes: Mapping[str, str], data: bytes) -> Answer | None:
    """The answer in a message; None where it names no request."""
    request_id = attributes.get("request_id")
    if request_id is None:
        return None
    status = attributes.get("status", "no status")
    return Answer(request_id, status, None if status == SCORED else _error_code(data))


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent do not exceed. Raises ValueError where
    there are no values."""
    if not ascending:
        raise ValueError("no values, no percentile")
    rank = math.ceil(len(ascending) * percent / 100)
    return ascending[max(rank, 1) - 1]


class Ledger:
    """What was asked and what is answered; for several threads. Times are in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: dict[str, float] = {}
        self._asked = 0
        self._outcomes: Counter[str] = Counter()
        self._latencies = array("d")

    def asked(self, request_ids: Iterable[str], at: float) -> None:
        with self._lock:
            before = len(self._waiting)
            self._waiting.update(dict.fromkeys(request_ids, at))
            self._asked += len(self._waiting) - before

    def answered(self, answers: Iterable[Answer], at: float) -> None:
        """Answers to others, and repeated ones, count for nothing."""
        with self._lock:
            for answer in answers:
                asked = self._waiting.pop(answer.request_id, None)
                if asked is not None:
                    self._outcomes[answer.outcome] += 1
                    self._latencies.append(at - asked)
            self._lock.notify_all()

    @property
    def answers(self) -> int:
        """How many there are so far."""
        return len(self._latencies)

    def wait(self, seconds: float) -> bool:
        """Until everything that was asked is answered, but no longer; whether it is."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._waiting, seconds)

    def summary(self) -> Summary:
        with self._lock:
            return Summary(self._asked, dict(self._outcomes), sorted(self._latencies))


def _error_code(data: bytes) -> str | None:
    try:
        code = json.loads(data)["error_code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code if isinstance(code, str) else None
