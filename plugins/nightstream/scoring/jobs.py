"""A Dataflow job as the operators see it, and how a run's job is named and labelled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from nightstream.runs import ResolvedRun

LABEL_LENGTH = 63


class Phase(Enum):
    """What a job's state means to whoever waits for it."""

    ACTIVE = "active"
    STOPPING = "stopping"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """A state that this code does not know: it is reported and waited out, never acted upon."""


_PHASES = {
    **dict.fromkeys(("STOPPED", "PENDING", "QUEUED", "RUNNING"), Phase.ACTIVE),
    "RESOURCE_CLEANING_UP": Phase.ACTIVE,
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
    def attempt(self) -> int | None:
        """The attempt whose folder the job writes; None for a job that is not ours."""
        label = self.labels.get("attempt", "")
        return int(label) if label.isdecimal() else None

    def belongs_to(self, run_key: str) -> bool:
        return self.labels.get("run_key") == run_key and self.attempt is not None


def job_prefix(service: str) -> str:
    """How the names of a service's nightly jobs begin (other services' may begin so, too)."""
    return f"{service.replace('_', '-')}-batch-"


def job_name(service: str, run_key: str) -> str:
    """The name of a run's job; Dataflow lets only one job of a name be active."""
    return job_prefix(service) + run_key[:12]


def job_labels(run: ResolvedRun, attempt: int, more: Mapping[str, str]) -> dict[str, str]:
    """The labels of a run's job; those of the environment come with it."""
    ours = {
        "service": run.service,
        "score_date": run.score_date.isoformat(),
        "run_key": run.run_key,
        "attempt": str(attempt),
        "model_version": run.model_version,
    }
    return {key: _label_value(value) for key, value in {**more, **ours}.items()}


def _label_value(text: str) -> str:
    """The nearest value that the service takes for a label."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:LABEL_LENGTH]
