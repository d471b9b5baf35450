"""What the rules decide on: a snapshot, what was learned from it, and what is declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.ledger import Entry, Ledger, Outcome
from nightstream.lifecycle.revisions import Revision
from nightstream.lifecycle.snapshot import SeenJob, Snapshot
from nightstream.streaming.naming import Slot


@dataclass(frozen=True)
class Timing:
    """What the environment says of time."""

    launch: timedelta
    """After which a launch whose job was not seen has failed; it covers the delay of lists."""
    drain: timedelta
    """After which a drain is over its deadline."""
    retention: timedelta
    """How long subscriptions keep what nobody has acknowledged."""


@dataclass(frozen=True)
class Target:
    """The revision that should run, and why that one."""

    revision: Revision | None
    why: str


@dataclass(frozen=True)
class Case:
    """One round's question."""

    seen: Snapshot
    ledger: Ledger
    spec: LifecycleSpec
    timing: Timing
    now: datetime

    @property
    def active(self) -> Slot:
        return self.ledger.active

    @property
    def spare(self) -> Slot:
        return Slot.B if self.ledger.active is Slot.A else Slot.A

    def job(self, slot: Slot) -> SeenJob | None:
        """The job that stands in a slot; where one takes over from another, the new one."""
        standing = self.seen.standing(slot)
        return standing[-1] if standing else None

    def entry(self, job: SeenJob) -> Entry | None:
        return self.ledger.entries.get(job.revision or "")

    @cached_property
    def target(self) -> Target:
        """A pinned revision, else the declared one, else the one that was stable last."""
        override = self.ledger.override
        if override and override.kind == "pin":
            entry = self.ledger.entries.get(override.revision or "")
            revision = entry.revision if entry else None
            return Target(revision, f"{override.by} has pinned {override.revision}")
        wanted = self.seen.wanted
        if wanted is None:
            return Target(None, self.seen.problem)
        if self.ledger.outcome(wanted.id) is not Outcome.REJECTED:
            return Target(wanted, "it is declared")
        why = f"{wanted.id} is rejected: {'; '.join(self.ledger.entries[wanted.id].reasons)}"
        stable = self.ledger.entries.get(self.ledger.stable or "")
        return Target(stable.revision if stable else None, why)

    @property
    def suspended(self) -> str:
        """Why no job should run; empty when one should."""
        override = self.ledger.override
        if override and override.kind in ("suspend", "cancel"):
            return f"{override.by} has asked to {override.kind} it"
        return "the spec says that it is suspended" if self.spec.state == "suspended" else ""
