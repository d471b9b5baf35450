"""What the rules decide on: a snapshot, what was learned from it, and what is declared."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    problem: str = ""
    """What keeps anything from being declared; else empty."""


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
        """What a person has chosen, else what is declared, else what was stable last. Workers are
        not part of a revision: whichever runs should have as many as are declared."""
        target, wanted = self._target(), self.seen.wanted
        if target.revision is None or wanted is None:
            return target
        revision = target.revision.model_copy(update={"workers": wanted.workers})
        return replace(target, revision=revision)

    def _target(self) -> Target:
        override, wanted = self.ledger.override, self.seen.wanted
        if override and override.kind in ("pin", "roll_back"):
            entry = self.ledger.entries.get(override.revision or "")
            done = "pinned" if override.kind == "pin" else "rolled back to"
            why = f"{override.by} has {done} {override.revision}"
            return Target(entry.revision if entry else None, why)
        stable = self.ledger.entries.get(self.ledger.stable or "")
        if wanted is None:
            kept = self._kept()
            problem = self.seen.problem
            why = f"what is declared cannot be told: {problem}"
            return Target(kept.revision if kept else None, why, problem)
        if (held := self._held(wanted)) is not None:
            return Target(held, f"the spec holds the model at {held.model_version}")
        if self.ledger.outcome(wanted.id) is not Outcome.REJECTED:
            return Target(wanted, f"{wanted.id} is declared")
        last = f"{stable.revision.id} was stable last" if stable else "none was ever stable"
        reasons = "; ".join(self.ledger.entries[wanted.id].reasons)
        why = f"{wanted.id} is rejected: {reasons}; {last}"
        return Target(stable.revision if stable else None, why)

    def _held(self, wanted: Revision) -> Revision | None:
        """The revision that is kept though another model is declared by now."""
        entry = self._kept()
        held = (
            self.spec.upgrade.model == "hold"
            and entry is not None
            and entry.revision.base == wanted.base
            and entry.revision.model_version != wanted.model_version
            and entry.outcome not in (Outcome.REJECTED, Outcome.FAILED)
        )
        return entry.revision if entry is not None and held else None

    def _kept(self) -> Entry | None:
        """The revision that goes on where no other is asked for: the newest that runs, else the one
        that was stable last."""
        jobs = (self.job(self.spare), self.job(self.active))
        entries = [entry for job in jobs if job and (entry := self.entry(job))]
        sound = [entry for entry in entries if entry.outcome is not Outcome.REJECTED]
        return sound[0] if sound else self.ledger.entries.get(self.ledger.stable or "")

    def oldest_request(self, job: SeenJob) -> datetime | None:
        """When the oldest request was published that waits on the job's subscription or that the
        job has under way; None where that is not known. A later reading can only find it younger.
        """
        readings = self.ledger.readings.get(job.id, ())
        known = [reading for reading in readings if reading.oldest_unacked_seconds is not None]
        if not known:
            return None
        last = known[-1]
        age = max(last.oldest_unacked_seconds or 0, last.watermark_age_seconds or 0)
        return last.at - timedelta(seconds=age)

    def unfinished_since(self, job: SeenJob) -> datetime | None:
        """A time before which everything that a draining job has read is certainly finished; None
        where that is not known.

        A subscription that is brought back to a time forgets what it holds from before that time:
        so it has to be earlier than the oldest request that nobody has acknowledged.
        """
        begun, oldest = self.ledger.drains.get(job.id), self.oldest_request(job)
        if begun is None or oldest is None:
            return None
        return min(begun, oldest) - timedelta(seconds=self.spec.drain.seek_margin_seconds)

    @property
    def suspended(self) -> str:
        """Why no job should run; empty when one should."""
        override = self.ledger.override
        if override and override.kind in ("suspend", "cancel"):
            return f"{override.by} has asked to {override.kind} it"
        return "the spec says that it is suspended" if self.spec.state == "suspended" else ""
