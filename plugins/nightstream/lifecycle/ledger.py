"""The ledger of a service's revisions: one small JSON document, replaced by compare-and-swap only.

It is written before an action is taken, so that two writers cannot both act, and so that an action
whose outcome was not seen is known to the next round.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import model_validator

from beam_jobs.runs.plan import Pinned
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Revision
from nightstream.streaming.naming import Slot


class Outcome(StrEnum):
    """What became of a revision."""

    PROPOSED = "proposed"
    LAUNCHED = "launched"
    """It has run, and is on probation."""
    STABLE = "stable"
    FAILED = "failed"
    REJECTED = "rejected"
    """Not tried again; another spec or another model is another revision."""

    @property
    def unproved(self) -> bool:
        """Whether the revision has yet to show that it is stable."""
        return self in (Outcome.PROPOSED, Outcome.LAUNCHED, Outcome.FAILED)


class Entry(Pinned):
    """One revision and its history."""

    revision: Revision
    outcome: Outcome = Outcome.PROPOSED
    reasons: tuple[str, ...] = ()
    times: Mapping[Outcome, datetime]
    """When each outcome was last reached."""
    running_since: datetime | None = None
    """When it was first seen running, since it last began."""

    def became(self, outcome: Outcome, at: datetime, reasons: tuple[str, ...] = ()) -> Entry:
        """The entry with that outcome."""
        times = {**self.times, outcome: at}
        return self.model_copy(update={"outcome": outcome, "times": times, "reasons": reasons})


class FailureKind(StrEnum):
    LAUNCH = "launch"
    """No job came of a launch."""
    RELEASE = "release"
    """A job failed whose revision was never stable."""
    CRASH = "crash"
    """A job of a stable revision failed."""
    STOPPED = "stopped"
    """Somebody else cancelled or drained it."""


class Failure(Pinned):
    """A job, or the launch of one, came to an end that was not asked for."""

    at: datetime
    kind: FailureKind
    revision: str
    job_id: str | None
    reason: str = ""


class Intent(Pinned):
    """A job that is about to be launched, from before the launch until it is seen."""

    slot: Slot
    revision: str
    replaces: str | None
    """The job that it takes over from in place."""
    known_ids: tuple[str, ...]
    """The jobs that there were in the slot before: the one to come is none of these."""
    expires_at: datetime
    """Until then a job may still appear; afterwards there was none."""


class OpenSlot(Pinned):
    """A slot with a subscription of its own."""

    subscription: str
    """Full name."""
    opened_at: datetime | None = None
    """Since when the second slot's subscription certainly holds what is published; None for the
    first."""
    ready: bool = True
    """Whether the subscription exists for certain; it may also be on its way out."""
    seek_to: datetime | None = None
    """The subscription is brought back to there before the next job reads it."""


class Override(Pinned):
    """What a person has asked for; scheduled rounds obey it until it is lifted."""

    kind: Literal["suspend", "cancel", "pin", "roll_back", "redeploy"]
    revision: str | None = None
    """The one to be kept to, of `pin` and `roll_back`."""
    instead_of: str | None = None
    """The one that was declared, or ran, of `roll_back`: it ends as soon as another is declared."""
    job_id: str | None = None
    """The one to be replaced, of `redeploy`."""
    by: str
    at: datetime


class Question(Pinned):
    """What a person was asked last."""

    text: str
    at: datetime


class Ledger(Pinned):
    """What is known of a service's streaming jobs beyond what the API remembers."""

    format: Literal[1] = 1
    service: str
    entries: Mapping[str, Entry] = {}
    """By revision."""
    stable: str | None = None
    """The revision that was stable last."""
    active: Slot = Slot.A
    """The slot that serves."""
    slots: Mapping[Slot, OpenSlot]
    """The active one, and during an upgrade side by side the other."""
    intent: Intent | None = None
    override: Override | None = None
    jobs: tuple[str, ...] = ()
    """Those that stood when last looked at. They are asked for by id: lists may lack them."""
    stopped: tuple[str, ...] = ()
    """Of the jobs that stand, those that were drained or cancelled by us."""
    drains: Mapping[str, datetime] = {}
    """When the drain of a job was asked for, or first seen."""
    cancels: Mapping[str, datetime] = {}
    """When the cancellation of a job was asked for."""
    failures: tuple[Failure, ...] = ()
    """Since the last time of good health."""
    refused: tuple[tuple[str, str], ...] = ()
    """Updates that the service has refused: from which revision to which."""
    suspended_at: datetime | None = None
    readings: Mapping[str, tuple[Reading, ...]] = {}
    """Of the jobs that stand, by id, oldest first."""
    refusal: Question | None = None
    """The action that was refused last, and why, until one is taken."""
    question: Question | None = None
    """The one that is open."""
    untold: tuple[str, ...] = ()
    """What a person should hear of and may not have heard yet: it is told, then taken out."""
    obeyed_at: datetime | None = None
    """When the request was made that was obeyed last: none is obeyed twice, nor out of order."""

    @model_validator(mode="after")
    def _refers_to_what_it_holds(self) -> Self:
        if self.active not in self.slots:
            raise ValueError(f"the slot that serves, {self.active}, is not among the slots")
        if self.stable is not None and self.stable not in self.entries:
            raise ValueError(f"the stable revision {self.stable} is not among the entries")
        misplaced = [name for name, entry in self.entries.items() if entry.revision.id != name]
        if misplaced:
            raise ValueError(f"the entry of {misplaced[0]} is that of another revision")
        return self

    @property
    def chosen(self) -> str | None:
        """The revision that a person has chosen."""
        override = self.override
        chooses = override is not None and override.kind in ("pin", "roll_back")
        return override.revision if override and chooses else None

    def outcome(self, revision: str) -> Outcome | None:
        entry = self.entries.get(revision)
        return entry.outcome if entry else None
