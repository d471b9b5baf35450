"""The rules, in the order in which they are asked; the first that has something to say decides."""

from __future__ import annotations

from nightstream.jobs.job import Phase
from nightstream.lifecycle.actions import Ask, Nothing, Wait
from nightstream.lifecycle.answer import Answer, answer
from nightstream.lifecycle.case import Case
from nightstream.lifecycle.jobs import cancel, starting, stop
from nightstream.lifecycle.learning import job_of
from nightstream.lifecycle.serving import serve
from nightstream.lifecycle.side_by_side import side_by_side
from nightstream.streaming.naming import Slot

_NEAR_RETENTION = 0.8
"""Share of the retention after which a suspension is dangerous."""


def choose(case: Case) -> Answer:
    """Total: every case has an answer."""
    for rule in (_not_understood, _under_way, _doubled, _suspended, side_by_side):
        if (said := rule(case)) is not None:
            return said
    return serve(case)


def _not_understood(case: Case) -> Answer | None:
    """Nothing is done about a job that nobody understands, nor beside it."""
    for job in case.seen.standing():
        if job.job.phase is Phase.UNKNOWN:
            return answer(Wait(), f"{job} is {job.job.state}, a state that is not known here")
        if case.entry(job) is None:
            who = f"revision {job.revision}" if job.revision else "no revision of ours"
            return answer(
                Ask(),
                f"{job} runs {who}, which the ledger does not know. Remedy: drain it by hand, or "
                "bring the revision's record back",
            )
    return None


def _under_way(case: Case) -> Answer | None:
    """An action whose outcome was not seen is not followed by another."""
    intent = case.ledger.intent
    if intent is None:
        return None
    job = job_of(intent, case.seen)
    if job is not None:
        what = f"{job} is {job.job.state} and takes over from {intent.replaces}"
        return starting(case, job, what)
    what = f"the launch of {intent.revision} in slot {intent.slot}"
    return answer(Wait(), f"{what} is not seen yet; it has until {intent.expires_at:%H:%M:%S}")


def _doubled(case: Case) -> Answer | None:
    """One job to a slot. The one that came first stays: its successor by an update was an intent
    and has been waited for."""
    for slot in Slot:
        standing = case.seen.standing(slot)
        replaced = {job.replaces for job in standing}
        alone = {job.id: job for job in standing if job.id not in replaced}
        if len(alone) < 2:
            continue
        first, *others = sorted(alone.values(), key=lambda job: (not job.running, job.created_at))
        for other in others:
            if other.job.phase is Phase.ACTIVE:
                return cancel(case, other, f"{other} is one too many beside {first}")
        return answer(Wait(), f"{others[0]} is {others[0].job.state}, beside {first}")
    return None


def _suspended(case: Case) -> Answer | None:
    why = case.suspended
    if not why:
        return None
    for job in case.seen.standing():
        override = case.ledger.override
        if override and override.kind == "cancel":
            return cancel(case, job, why)
        return stop(case, job, why)
    since = case.ledger.suspended_at or case.now
    if case.now - since > _NEAR_RETENTION * case.timing.retention:
        return answer(
            Ask(),
            f"{why}, since {since:%d %B %H:%M}: the subscription will soon forget the first "
            "requests. Remedy: resume",
        )
    return answer(Nothing(), why)
