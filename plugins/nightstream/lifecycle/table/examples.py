"""Situations to decide on, made up of few words: at noon a job of `R1` has run for an hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.jobs.job import Job
from nightstream.lifecycle.case import Timing
from nightstream.lifecycle.decision import Decision, decide
from nightstream.lifecycle.ledger import (
    Entry,
    Failure,
    FailureKind,
    Intent,
    Ledger,
    OpenSlot,
    Outcome,
    Override,
)
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Place, Revision, Workers
from nightstream.lifecycle.snapshot import SeenJob, Snapshot
from nightstream.streaming.naming import Slot

SERVICE = "weights"
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TIMING = Timing(
    launch=timedelta(minutes=10), drain=timedelta(minutes=30), retention=timedelta(days=7)
)
SPEC = LifecycleSpec()
PLACE = Place(project="p", region="europe-west1", topic="requests", subscription="requests")
WORKERS = Workers(least=1, most=3)


def revision(name: str, **changes: Any) -> Revision:
    """One that can be updated in place to any other of these."""
    declared = Revision(
        id=name, model_version="1", place=PLACE, topology="1", base=name, workers=WORKERS
    )
    return declared.model_copy(update=changes)


R1, R2 = revision("R1"), revision("R2")


@dataclass(frozen=True)
class Example:
    """What is seen, and what the spec says of it."""

    seen: Snapshot
    spec: LifecycleSpec = SPEC

    def decided(self) -> Decision:
        return decide(self.seen, self.spec, TIMING, NOW)

    def but(self, **changes: Any) -> Example:
        """The same with another ledger."""
        ledger = self.seen.ledger.model_copy(update=changes)
        return replace(self, seen=replace(self.seen, ledger=ledger))


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def a_job(
    served: Revision | str | None = R1,
    state: str = "RUNNING",
    *,
    id: str = "job-1",
    slot: Slot = Slot.A,
    minutes: float = 60,
    workers: Workers = WORKERS,
    replaces: str | None = None,
    launched_as: str | None = None,
) -> SeenJob:
    """One that was created that many minutes ago."""
    name = served.id if isinstance(served, Revision) else served
    return SeenJob(
        job=Job(id, f"{SERVICE}-live-{slot}", state, {}),
        slot=slot,
        revision=name,
        created_at=ago(minutes),
        workers=workers,
        launched_as=launched_as or name,
        replaces=replaces,
    )


def a_reading(**changes: Any) -> Reading:
    """Of a job that does well, by now."""
    well = Reading(
        at=NOW,
        requests=20_000,
        dead=0,
        scored=20_000,
        models_refused=0,
        errors=0,
        backlog=0,
        oldest_unacked_seconds=0,
        watermark_age_seconds=0,
    )
    return well.model_copy(update=changes)


ILL = a_reading(dead=9_000, scored=11_000)


def an_entry(of: Revision, outcome: Outcome, minutes: float = 60, *reasons: str) -> Entry:
    ran = outcome in (Outcome.LAUNCHED, Outcome.STABLE, Outcome.REJECTED)
    return Entry(
        revision=of,
        outcome=outcome,
        reasons=reasons,
        times={outcome: ago(minutes)},
        running_since=ago(minutes) if ran else None,
    )


def entries(outcomes: Mapping[Outcome, Revision | tuple[Revision, ...]]) -> dict[str, Entry]:
    """Each revision with its outcome, an hour old."""
    found = {}
    for outcome, revisions in outcomes.items():
        for each in revisions if isinstance(revisions, tuple) else (revisions,):
            reasons = ("9,000 of 20,000 became dead letters",) if outcome is _REJECTED else ()
            found[each.id] = an_entry(each, outcome, 60, *reasons)
    return found


_REJECTED = Outcome.REJECTED


def a_ledger(
    outcomes: Mapping[Outcome, Revision | tuple[Revision, ...]] | None = None, **changes: Any
) -> Ledger:
    """Of a service with one slot, whose stable revision is `R1`."""
    known = entries({Outcome.STABLE: R1} if outcomes is None else outcomes)
    stable = next((name for name, e in known.items() if e.outcome is Outcome.STABLE), None)
    slots = {Slot.A: OpenSlot(subscription="requests")}
    ledger = Ledger(service=SERVICE, entries=known, stable=stable, slots=slots)
    return ledger.model_copy(update=changes)


def example(
    *jobs: SeenJob,
    wanted: Revision | None = R1,
    ledger: Ledger | None = None,
    spec: LifecycleSpec = SPEC,
    reading: Reading | None = None,
) -> Example:
    """The jobs stood in the last round too.

    reading: of every job that runs; by default they do well.
    """
    known = ledger or a_ledger()
    known = known.model_copy(update={"jobs": tuple(job.id for job in jobs)})
    measured = [job for job in jobs if job.job.state in ("RUNNING", "DRAINING")]
    by_now = reading or a_reading()
    readings = {job.id: by_now.model_copy(update={"revision": job.revision}) for job in measured}
    problem = "" if wanted else "weights.yaml: streaming.topic is missing"
    return Example(Snapshot(wanted, problem, tuple(jobs), known, readings), spec)


def asked(kind: Any, **changes: Any) -> Override:
    return Override(kind=kind, by="Ada", at=ago(5), **changes)


def an_intent(of: Revision, *, replaces: str | None = None, minutes: float = 5) -> Intent:
    """Of a launch that many minutes ago, when there was the job `job-1`."""
    return Intent(
        slot=Slot.A,
        revision=of.id,
        replaces=replaces,
        known_ids=("job-1",),
        expires_at=ago(minutes) + TIMING.launch,
    )


def failures(of: Revision, kind: FailureKind, number: int, minutes: float) -> tuple[Failure, ...]:
    """The last of them that many minutes ago."""
    return (Failure(at=ago(minutes), kind=kind, revision=of.id, job_id=None),) * number


def beside(*, ready: bool = True, opened_minutes: float = 30) -> dict[Slot, OpenSlot]:
    """Two slots."""
    second = OpenSlot(subscription="requests-b", ready=ready, opened_at=ago(opened_minutes))
    return {Slot.A: OpenSlot(subscription="requests"), Slot.B: second}
