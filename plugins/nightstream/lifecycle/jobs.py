"""How one job is waited for, judged and stopped."""

from __future__ import annotations

from datetime import timedelta

from nightstream.lifecycle.actions import Ask, Cancel, Drain, Wait
from nightstream.lifecycle.answer import Answer, answer
from nightstream.lifecycle.case import Case
from nightstream.lifecycle.health import Verdict
from nightstream.lifecycle.judging import found_of
from nightstream.lifecycle.snapshot import SeenJob

_GRACE = timedelta(minutes=2)
"""A state that was asked for may show that much later."""


def starting(case: Case, job: SeenJob, what: str) -> Answer:
    """A job that has yet to run."""
    if case.now - job.created_at < case.timing.launch:
        return answer(Wait(), what)
    return answer(
        Ask(),
        f"{what}, since {job.created_at:%d %B %H:%M}. Remedy: see what its messages tell of "
        "(workers that the region does not have, a quota), or cancel it by hand",
    )


def ill(case: Case, job: SeenJob) -> Answer | None:
    """What to say of a job that is ill though its revision is the one that should run."""
    found = found_of(case.ledger, job, case.spec, case.now)
    if found.verdict is not Verdict.ILL:
        return None
    return answer(
        Ask(),
        f"{job} is ill: {found}",
        f"its revision should run: {case.target.why}. Remedy: mend what makes it ill, change the "
        "spec or the model, or trigger `roll_back`",
    )


def state_of(case: Case, job: SeenJob) -> str:
    """How far a job is with its probation."""
    entry = case.entry(job)
    if entry is None or entry.running_since is None:
        return f"it is {job.job.state}"
    found = found_of(case.ledger, job, case.spec, case.now)
    seconds = (case.now - entry.running_since).total_seconds()
    return f"{seconds:.0f} of {case.spec.health.stabilisation_seconds:.0f} s, {found}"


def stop(case: Case, job: SeenJob, why: str) -> Answer:
    """Drains a job, and sees the drain to its end."""
    if job.job.state == "CANCELLING":
        return answer(Wait(), f"{job} is being cancelled")
    if job.job.state == "DRAINING":
        return _draining(case, job, why)
    if not job.running:
        return answer(Wait(), f"{job} is {job.job.state}: it can be drained once it runs", why)
    asked_at = case.ledger.drains.get(job.id)
    if asked_at is not None and case.now - asked_at < _GRACE:
        return answer(Wait(), f"the drain of {job} is not seen yet")
    return answer(Drain(job.id), why)


def _draining(case: Case, job: SeenJob, why: str) -> Answer:
    deadline = case.ledger.drains[job.id] + case.timing.drain
    if case.now < deadline:
        return answer(Wait(), f"{job} is being drained: {why}")
    if case.spec.drain.after_deadline == "wait":
        return answer(
            Ask(),
            f"{job} is still DRAINING past its deadline. Remedy: mend what its errors tell of, or "
            "trigger `cancel`",
        )
    if case.unfinished_since(job) is None:
        return answer(
            Ask(),
            f"{job} is still DRAINING past its deadline, and it is not known how old the oldest "
            "request on its subscription is: from when to read again? Remedy: see to it that Cloud "
            "Monitoring can be read, or trigger `cancel`",
        )
    return cancel(
        case,
        job,
        f"{job} is still DRAINING past its deadline: it is cancelled, and what it had under way is "
        "read again",
    )


def cancel(case: Case, job: SeenJob, why: str) -> Answer:
    """Cancels a job."""
    if job.job.state == "CANCELLING":
        return answer(Wait(), f"{job} is being cancelled")
    asked_at = case.ledger.cancels.get(job.id)
    if asked_at is not None and case.now - asked_at < _GRACE:
        return answer(Wait(), f"the cancellation of {job} is not seen yet")
    return answer(Cancel(job.id), why)
