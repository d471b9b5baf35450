"""A Dataflow job as the operators see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

LABEL_LENGTH = 63


class Phase(Enum):
    """What a job's state means to whoever waits for it."""

    ACTIVE = "active"
    STOPPING = "stopping"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """A state that this code does not know: it is reported and waited out, never acted upon."""


STARTING_STATES = ("STOPPED", "PENDING", "QUEUED")
"""Those of an active job that has no workers yet."""

_PHASES = {
    **dict.fromkeys((*STARTING_STATES, "RUNNING", "RESOURCE_CLEANING_UP"), Phase.ACTIVE),
    **dict.fromkeys(("CANCELLING", "DRAINING"), Phase.STOPPING),
    **dict.fromkeys(("DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED"), Phase.ENDED),
}


@dataclass(frozen=True)
class Job:
    """One Dataflow job."""

    id: str
    name: str
    state: str
    """Without the prefix JOB_STATE_."""
    labels: Mapping[str, str]

    @property
    def phase(self) -> Phase:
        return phase_of(self.state)

    @property
    def starting(self) -> bool:
        """Whether the job has no workers yet."""
        return self.state in STARTING_STATES


@dataclass(frozen=True)
class ListedJob:
    """What a list tells of a job: no labels, and its state as it was a moment ago."""

    id: str
    state: str
    created_at: datetime

    @property
    def ended(self) -> bool:
        return phase_of(self.state) is Phase.ENDED


@dataclass(frozen=True)
class DescribedJob:
    """A job with what it was created with, and how large it may be by now."""

    job: Job
    created_at: datetime
    replaces: str | None
    """The id of the job that it was to take over from."""
    least_workers: int | None
    """None where the service does not tell."""
    most_workers: int | None


def phase_of(state: str) -> Phase:
    """What a state means, without the prefix JOB_STATE_."""
    return _PHASES.get(state, Phase.UNKNOWN)


def states_like(job: Job) -> tuple[str, ...]:
    """The states that mean the same as the job's own."""
    return tuple(s for s, phase in _PHASES.items() if phase is job.phase) or (job.state,)


def label_values(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels with the nearest values that the service takes."""
    return {
        key: re.sub(r"[^a-z0-9_-]", "-", value.lower())[:LABEL_LENGTH]
        for key, value in labels.items()
    }
