"""What is seen of a service's streaming jobs at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nightstream.jobs.job import Job, Phase
from nightstream.lifecycle.ledger import Ledger
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Revision, Workers
from nightstream.streaming.naming import Slot


@dataclass(frozen=True)
class SeenJob:
    """A job of the service that the API knows."""

    job: Job
    slot: Slot
    revision: str | None
    """The one that it serves; None for a job that is not ours."""
    created_at: datetime
    workers: Workers
    launched_as: str | None = None
    """The revision of its label; it may have changed over to another model since."""
    replaces: str | None = None
    """The job that it takes over from in place."""

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def running(self) -> bool:
        return self.job.state == "RUNNING"

    @property
    def ended(self) -> bool:
        return self.job.phase is Phase.ENDED

    def __str__(self) -> str:
        return f"{self.job.name} ({self.job.id})"


@dataclass(frozen=True)
class Snapshot:
    """Everything that a decision depends on, but the clock."""

    wanted: Revision | None
    """What spec, code and model alias say by now; None where the spec or the model cannot be read:
    then what runs goes on."""
    problem: str
    """Why `wanted` is None; else empty."""
    jobs: tuple[SeenJob, ...]
    """All that have not ended, those that stood last time, and of each slot the one that ended
    last; oldest first."""
    ledger: Ledger
    readings: Mapping[str, Reading] = field(default_factory=dict)
    """By job id; a job that is missing here could not be read."""

    def standing(self, slot: Slot | None = None) -> list[SeenJob]:
        """Those that have not ended."""
        return [j for j in self.jobs if not j.ended and slot in (None, j.slot)]

    def last_ended(self, slot: Slot) -> SeenJob | None:
        """The job of a slot that ended last, an updated one aside: its successor took over."""
        ended = [j for j in self.jobs if j.ended and j.slot == slot and j.job.state != "UPDATED"]
        return ended[-1] if ended else None
