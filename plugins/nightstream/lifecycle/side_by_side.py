"""Two slots at a time: a new job proves itself beside the one that serves."""

from __future__ import annotations

from datetime import timedelta

from nightstream.jobs.job import Phase
from nightstream.lifecycle.actions import Ask, Close, Open, Wait
from nightstream.lifecycle.answer import Answer, answer
from nightstream.lifecycle.case import Case
from nightstream.lifecycle.jobs import ill, starting, state_of, stop
from nightstream.lifecycle.ledger import Outcome
from nightstream.lifecycle.serving import belongs_beside, launch
from nightstream.lifecycle.snapshot import SeenJob


def side_by_side(case: Case) -> Answer | None:
    """A second slot is open: an upgrade side by side, one way or the other."""
    old, new, target = case.job(case.active), case.job(case.spare), case.target.revision
    if case.spare not in case.ledger.slots:
        return stop(case, new, "its slot is not in use") if new else None
    if new is None:
        if target is None or old is None or not belongs_beside(case, old, target):
            return answer(Close(case.spare), "the upgrade side by side is over")
        if not case.ledger.slots[case.spare].ready:
            return answer(Open(case.spare), f"{target.id} is to run beside {old}")
        return launch(case, case.spare, target)
    entry = case.entry(new)
    if target is None or new.revision != target.id:
        rejected = entry is not None and entry.outcome is Outcome.REJECTED
        why = "is rejected" if rejected else "is no longer the revision that should run"
        return stop(case, new, f"{new.revision} {why}")
    if new.job.phase is Phase.STOPPING:
        return stop(case, new, "it has to end before another begins")
    if not new.running:
        return starting(case, new, f"{new} is {new.job.state}")
    return _succession(case, old, new)


def _succession(case: Case, old: SeenJob | None, new: SeenJob) -> Answer:
    """The job in the second slot serves alone once it has proved itself."""
    if (illness := ill(case, new)) is not None:
        return illness
    if not _proved(case, new):
        beside = f"beside {old}" if old else "alone"
        return answer(Wait(), f"{new} runs {beside} until it is stable: {state_of(case, new)}")
    if old is not None and _behind(case, old):
        return _held_back(case, old, new)
    if old is not None:
        return stop(case, old, f"{new} is stable and takes over")
    return answer(Close(case.active), f"{new} serves alone from now on")


def _proved(case: Case, job: SeenJob) -> bool:
    """Whether the job's revision is stable, in this job too."""
    entry = case.entry(job)
    if entry is None or entry.running_since is None or entry.outcome is not Outcome.STABLE:
        return False
    probation = timedelta(seconds=case.spec.health.stabilisation_seconds)
    return case.now - entry.running_since >= probation


def _behind(case: Case, old: SeenJob) -> bool:
    """Whether the old job has requests that the new one's subscription may not hold: those from
    before it was opened. Where that was never known, the snapshot is trusted to hold them."""
    opened_at, oldest = case.ledger.slots[case.spare].opened_at, case.oldest_request(old)
    return opened_at is not None and oldest is not None and oldest < opened_at


def _held_back(case: Case, old: SeenJob, new: SeenJob) -> Answer:
    """The old job gets through with them by and by; a person hears of it when it does not."""
    what = f"{old} still has requests of before {new} could read any"
    opened_at = case.ledger.slots[case.spare].opened_at or case.now
    probation = timedelta(seconds=case.spec.health.stabilisation_seconds)
    if case.now - opened_at < probation + case.timing.drain:
        return answer(Wait(), what)
    return answer(
        Ask(),
        f"{what}, since {opened_at:%d %B %H:%M}. Remedy: see why it does not get through with "
        "them, or trigger `cancel`, then `resume`: the next job reads them in its place",
    )
