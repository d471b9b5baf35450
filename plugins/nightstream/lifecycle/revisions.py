"""Revisions of a streaming job, and what it takes to get from one to another."""

from __future__ import annotations

from enum import Enum

from beam_jobs.runs.plan import Pinned
from nightstream.streaming.naming import Slot


class Workers(Pinned):
    """How many workers a job has; both can be changed while it runs."""

    least: int
    most: int


class Place(Pinned):
    """Where a job runs and what it reads: a job cannot be moved to another place."""

    project: str
    region: str
    topic: str
    subscription: str
    """Full name of the one that the spec names."""

    def subscription_of(self, slot: Slot) -> str:
        """What the job in a slot reads: in the first the spec's own subscription, in the second
        one of ours."""
        return self.subscription if slot is Slot.A else f"{self.subscription}-{slot}"

    def __str__(self) -> str:
        return f"{self.region}, reading {self.subscription} of {self.topic}"


class Revision(Pinned):
    """One revision: its identity, and the parts of it that decide how it can be reached."""

    id: str
    """40 hex digits: hash of spec, code version, model version and job options."""
    model_version: str
    place: Place
    topology: str
    """What the spec marks as a change that must not be made in place (`upgrade.generation`)."""
    base: str
    """The same hash without the model: two revisions of one base differ in their models only."""
    refreshes: bool = False
    """Whether its job changes over to another model without being replaced."""
    workers: Workers
    """Not part of the identity."""


class Change(Enum):
    """What lies between a running revision and the one that should run."""

    NONE = "none"
    TUNABLE = "tunable"
    """Workers only: changed in flight."""
    REFRESHABLE = "refreshable"
    """The model only: the running job changes over to it."""
    UPDATABLE = "updatable"
    """Model, code or parameters: a new job takes over from the old one."""
    INCOMPATIBLE = "incompatible"
    """The old job has to end before the new one begins."""


def classify(
    running: Revision, workers: Workers, wanted: Revision, refused: bool
) -> tuple[Change, str]:
    """The change, and a phrase that says what it consists of.

    workers: those that the job has by now. refused: the update check of the service has refused
    this change before.
    """
    if running.id == wanted.id:
        if workers != wanted.workers:
            return Change.TUNABLE, (
                f"it has {workers.least} to {workers.most} workers, and should have "
                f"{wanted.workers.least} to {wanted.workers.most}"
            )
        return Change.NONE, "it is the revision that should run"
    if running.place != wanted.place:
        return Change.INCOMPATIBLE, f"it runs in {running.place}, and should in {wanted.place}"
    if running.topology != wanted.topology:
        return Change.INCOMPATIBLE, "the spec marks the change as one that is not made in place"
    if refused:
        return Change.INCOMPATIBLE, "the service has refused to update it in place"
    if running.model_version != wanted.model_version:
        refreshed = running.refreshes and running.base == wanted.base
        return Change.REFRESHABLE if refreshed else Change.UPDATABLE, (
            f"its model is {running.model_version}, and should be {wanted.model_version}"
        )
    return Change.UPDATABLE, "its code or its parameters have changed"
