"""Upgrades on their way: launches, drains, and two slots at a time."""

from __future__ import annotations

from dataclasses import replace

from beam_jobs.spec.lifecycle import DrainSpec, LifecycleSpec, UpgradeSpec
from nightstream.lifecycle.ledger import FailureKind, Ledger, OpenSlot, Outcome
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Revision
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.lifecycle.table.examples import (
    ILL,
    R1,
    R2,
    Example,
    a_job,
    a_ledger,
    a_reading,
    ago,
    an_entry,
    an_intent,
    beside,
    example,
    failures,
)
from nightstream.streaming.naming import Slot

_PARALLEL = LifecycleSpec(upgrade=UpgradeSpec(strategy="parallel"))
_REPLACE = LifecycleSpec(upgrade=UpgradeSpec(strategy="drain_and_replace"))
_SEEK = LifecycleSpec(
    upgrade=UpgradeSpec(strategy="drain_and_replace"),
    drain=DrainSpec(after_deadline="cancel_and_seek"),
)
_BOTH = a_ledger({Outcome.STABLE: R1, Outcome.LAUNCHED: R2})


def side_by_side() -> tuple[tuple[str, Example], ...]:
    """From the open slot to the one that serves alone."""
    old, new = a_job(), a_job(R2, id="job-2", slot=Slot.B)
    waiting = a_reading(backlog=900, oldest_unacked_seconds=3_000)
    proved = a_ledger({Outcome.STABLE: (R1, R2)}).model_copy(update={"stable": "R2"})
    return (
        ("Airflow was killed while slot b was opened", _two(old, ready=False)),
        ("no job in b yet", _two(old)),
        ("no job in b yet; `R1` is declared again", _two(old, wanted=R1)),
        ("its job failed a minute ago", _failed(old)),
        ("its job starts", _two(old, a_job(R2, "PENDING", id="job-2", slot=Slot.B, minutes=2))),
        ("its job is on probation", _two(old, new, probation=5)),
        ("its job is ill", _two(old, new, probation=5, reading=ILL)),
        ("its job has proved itself", _two(old, new, ledger=proved)),
        (
            "likewise; on a wait requests from before b was opened",
            _two(old, new, ledger=proved, reading=waiting),
        ),
        ("likewise; the job in a is gone", _two(new, ledger=proved)),
    )


def _two(
    *jobs: SeenJob,
    wanted: Revision = R2,
    ledger: Ledger = _BOTH,
    probation: float = 60,
    ready: bool = True,
    reading: Reading | None = None,
) -> Example:
    known = ledger
    entries = {**known.entries, "R2": an_entry(R2, known.entries["R2"].outcome, probation)}
    two = known.model_copy(update={"slots": beside(ready=ready), "entries": entries})
    return example(*jobs, wanted=wanted, ledger=two, spec=_PARALLEL, reading=reading)


def _failed(old: SeenJob) -> Example:
    failed = failures(R2, FailureKind.RELEASE, 1, 1)
    ledger = _BOTH.model_copy(update={"slots": beside(), "failures": failed})
    return example(old, wanted=R2, ledger=ledger, spec=_PARALLEL)


def under_way() -> tuple[tuple[str, Example], ...]:
    """What came of a launch, or did not."""
    old = a_job()
    launch = a_ledger(intent=an_intent(R1))
    update = a_ledger(intent=an_intent(R2, replaces="job-1"))
    late = a_ledger(intent=an_intent(R2, replaces="job-1", minutes=15))
    new = a_job(R2, "PENDING", id="job-2", minutes=5, replaces="job-1")
    slow = a_job(R2, "PENDING", id="job-2", minutes=15, replaces="job-1")
    failed = replace(new, job=replace(new.job, state="FAILED"))
    updated = a_job(R1, "UPDATED")
    return (
        ("a launch, and no job is seen", example(ledger=launch)),
        ("a launch, and its job is there", example(a_job(id="job-2", minutes=4), ledger=launch)),
        (
            "a launch fifteen minutes ago, and no job is seen",
            example(ledger=a_ledger(intent=an_intent(R1, minutes=15))),
        ),
        ("an update, and no new job is seen", example(old, wanted=R2, ledger=update)),
        ("an update, and both jobs stand", example(old, new, wanted=R2, ledger=update)),
        (
            "an update fifteen minutes ago, and both jobs stand",
            example(old, slow, wanted=R2, ledger=late),
        ),
        (
            "an update, and the new job has failed: the service refuses it",
            example(old, failed, wanted=R2, ledger=update),
        ),
        (
            "an update, and the new job has taken over",
            example(
                updated,
                a_job(R2, id="job-2", minutes=5, replaces="job-1"),
                wanted=R2,
                ledger=update,
            ),
        ),
    )


def drains() -> tuple[tuple[str, Example], ...]:
    """From the request to the end, whichever it is."""
    asked = a_ledger(stopped=("job-1",), drains={"job-1": ago(1)})
    overdue = a_ledger(stopped=("job-1",), drains={"job-1": ago(45)})
    sought = {Slot.A: OpenSlot(subscription="requests", seek_to=ago(47))}
    draining, running = a_job(R1, "DRAINING"), a_job()
    stuck = a_reading(backlog=3, oldest_unacked_seconds=2_760)
    unknown = a_reading(oldest_unacked_seconds=None)
    return (
        ("it is asked for, and does not show yet", _draining(running, asked)),
        ("under way", _draining(draining, asked)),
        ("past its deadline; `after_deadline: wait`", _draining(draining, overdue)),
        (
            "past its deadline; `after_deadline: cancel_and_seek`",
            _draining(draining, overdue, _SEEK, stuck),
        ),
        (
            "likewise; the age of the oldest request is not known",
            _draining(draining, overdue, _SEEK, unknown),
        ),
        (
            "cancelled after its deadline, and ended",
            example(wanted=R2, ledger=a_ledger(slots=sought), spec=_SEEK),
        ),
        ("ended", example(wanted=R2, spec=_REPLACE)),
    )


def _draining(
    job: SeenJob, ledger: Ledger, spec: LifecycleSpec = _REPLACE, reading: Reading | None = None
) -> Example:
    return example(job, wanted=R2, ledger=ledger, spec=spec, reading=reading)
