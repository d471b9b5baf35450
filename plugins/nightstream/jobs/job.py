"""A Dataflow job as the operators see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
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
        return _PHASES.get(self.state, Phase.UNKNOWN)

    @property
    def starting(self) -> bool:
        """Whether the job has no workers yet."""
        return self.state in STARTING_STATES


def states_like(job: Job) -> tuple[str, ...]:
    """The states that mean the same as the job's own."""
    return tuple(s for s, phase in _PHASES.items() if phase is job.phase) or (job.state,)


def label_values(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels with the nearest values that the service takes."""
    return {
        key: re.sub(r"[^a-z0-9_-]", "-", value.lower())[:LABEL_LENGTH]
        for key, value in labels.items()
    }
