"""How an attempt of a job ended, and what follows from it: pure decisions.

Dataflow retries a failed work item up to four times. Here an attempt is the whole pipeline: it is
repeated when processes were lost, up to four times, and not when the pipeline itself raised.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum, auto

MAX_ATTEMPTS = 4

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_LOST = 75
"""Exit code of a job process that lost a worker."""


class Ending(Enum):
    DONE = auto()
    FAILED = auto()
    LOST = auto()
    CANCELLED = auto()


class Verdict(Enum):
    DONE = auto()
    FAILED = auto()
    CANCELLED = auto()
    RETRY = auto()


@dataclass(frozen=True)
class Outcome:
    ending: Ending
    cause: str


def outcome_of(code: int | None, cause: str) -> Outcome:
    """Reads the exit code of a job process, None for one that was stopped because a client asked
    for it; `cause` is what the process left as its last words."""
    if code is None:
        return Outcome(Ending.CANCELLED, "cancelled")
    if code == EXIT_DONE:
        return Outcome(Ending.DONE, "")
    if code < 0 or code == EXIT_LOST:
        return Outcome(Ending.LOST, last_words(code, cause))
    return Outcome(Ending.FAILED, cause)


def last_words(code: int, cause: str) -> str:
    """Why a job process ended: the signal that ended it, or what it said itself."""
    return f"the job process was ended by {signal.Signals(-code).name}" if code < 0 else cause


def verdict(outcome: Outcome, attempt: int) -> Verdict:
    """What to do after attempt number `attempt`, counted from 1."""
    if outcome.ending is Ending.LOST:
        return Verdict.RETRY if attempt < MAX_ATTEMPTS else Verdict.FAILED
    return Verdict[outcome.ending.name]
