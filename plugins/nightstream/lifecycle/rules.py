"""The rules, in the order in which they are asked; the first that has something to say decides."""

from __future__ import annotations

from datetime import timedelta

from nightstream.jobs.job import Phase
from nightstream.lifecycle.actions import (
    Action,
    Ask,
    Cancel,
    Close,
    Drain,
    Launch,
    Nothing,
    Open,
    Refresh,
    Seek,
    Tune,
    Update,
    Wait,
)
from nightstream.lifecycle.budget import failures_of, next_try, spent
from nightstream.lifecycle.case import Case
from nightstream.lifecycle.health import Verdict
from nightstream.lifecycle.learning import found_of, job_of
from nightstream.lifecycle.ledger import Outcome
from nightstream.lifecycle.revisions import Change, Revision, classify
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.streaming.naming import Slot

Answer = tuple[Action, tuple[str, ...]]

_GRACE = timedelta(minutes=2)
"""A state that was asked for may show that much later."""
_NEAR_RETENTION = 0.8


def choose(case: Case) -> Answer:
    """Total: every case has an answer."""
    for rule in (_not_understood, _under_way, _doubled, _suspended, _side_by_side):
        if (answer := rule(case)) is not None:
            return answer
    return _serve(case)


def _answer(action: Action, *reasons: str) -> Answer:
    return action, reasons


def _not_understood(case: Case) -> Answer | None:
    """Nothing is done about a job that nobody understands, nor beside it."""
    for job in case.seen.standing():
        if job.job.phase is Phase.UNKNOWN:
            return _answer(Wait(), f"{job} is {job.job.state}, a state that is not known here")
        if case.entry(job) is None:
            who = f"revision {job.revision}" if job.revision else "no revision of ours"
            return _answer(
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
    what = f"the launch of {intent.revision} in slot {intent.slot}"
    if job is not None:
        return _answer(Wait(), f"{job} is {job.job.state} and takes over from {intent.replaces}")
    return _answer(Wait(), f"{what} is not seen yet; it has until {intent.expires_at:%H:%M:%S}")


def _doubled(case: Case) -> Answer | None:
    """One job to a slot. The one that came first stays: its successor by an update was an intent
    and has been waited for."""
    for slot in Slot:
        standing = case.seen.standing(slot)
        replaced = {job.replaces for job in standing}
        alone = [job for job in standing if job.id not in replaced]
        if len(alone) < 2:
            continue
        first, *others = sorted(alone, key=lambda job: (not job.running, job.created_at))
        for other in others:
            if other.job.phase is Phase.ACTIVE:
                return _answer(Cancel(other.id), f"{other} is one too many beside {first}")
        return _answer(Wait(), f"{others[0]} is {others[0].job.state}, beside {first}")
    return None


def _suspended(case: Case) -> Answer | None:
    why = case.suspended
    if not why:
        return None
    for job in case.seen.standing():
        override = case.ledger.override
        if override and override.kind == "cancel":
            if job.job.state == "CANCELLING":
                return _answer(Wait(), f"{job} is being cancelled")
            return _answer(Cancel(job.id), why)
        return _stop(case, job, why)
    since = case.ledger.suspended_at or case.now
    if case.now - since > _NEAR_RETENTION * case.timing.retention:
        return _answer(
            Ask(),
            f"{why}, since {since:%d %B %H:%M}: the subscription will soon forget the first "
            "requests. Remedy: resume",
        )
    return _answer(Nothing(), why)


def _side_by_side(case: Case) -> Answer | None:
    """A second slot is open: an upgrade side by side, one way or the other."""
    old, new, target = case.job(case.active), case.job(case.spare), case.target.revision
    if case.spare not in case.ledger.slots:
        return _stop(case, new, "its slot is not in use") if new else None
    if new is None:
        if target is None or old is None or not _is_upgrade_beside(case, old, target):
            return _answer(Close(case.spare), "the upgrade side by side is over")
        if not case.ledger.slots[case.spare].ready:
            return _answer(Open(case.spare), f"{target.id} is to run beside {old}")
        return _launch(case, case.spare, target)
    entry = case.entry(new)
    if entry and entry.outcome is Outcome.REJECTED:
        return _stop(case, new, f"{new.revision} is rejected")
    if target is not None and new.revision != target.id:
        return _stop(case, new, f"{new.revision} is no longer the revision that should run")
    if not (entry and entry.outcome is Outcome.STABLE):
        return _answer(Wait(), f"{new} runs beside {old} until it is stable: {_state(case, new)}")
    if old is not None and _behind(case, old):
        return _answer(Wait(), f"{old} still has requests of before {new} could read any")
    if old is not None:
        return _stop(case, old, f"{new} is stable and takes over")
    return _answer(Close(case.active), f"{new} serves alone from now on")


def _is_upgrade_beside(case: Case, old: SeenJob, target: Revision) -> bool:
    """Whether the revision is another one than the job's, for the same requests."""
    entry = case.entry(old)
    same_place = entry is not None and entry.revision.place == target.place
    return same_place and old.revision != target.id


def _behind(case: Case, old: SeenJob) -> bool:
    """Whether requests wait on the old job's subscription that may not be on the new one's: those
    from before it was opened."""
    opened_at = case.ledger.slots[case.spare].opened_at
    reading = case.seen.readings.get(old.id)
    if opened_at is None or reading is None or not reading.oldest_unacked_seconds:
        return False
    return case.now - timedelta(seconds=reading.oldest_unacked_seconds) < opened_at


def _serve(case: Case) -> Answer:
    """The slot that serves."""
    job = case.job(case.active)
    if job is None:
        return _bring_up(case)
    if job.job.phase is Phase.STOPPING:
        return _stop(case, job, "it has to end before another begins")
    if job.job.starting:
        return _answer(Wait(), f"{job} is {job.job.state}")
    return _upgrade(case, job)


def _bring_up(case: Case) -> Answer:
    target = case.target
    if target.revision is None:
        return _answer(Ask(), f"no revision can be launched: {target.why}")
    slot = case.ledger.slots[case.active]
    if slot.seek_to is not None:
        return _answer(
            Seek(case.active, slot.seek_to),
            f"what the cancelled job had under way is read again, from {slot.seek_to:%H:%M:%S} on",
        )
    return _launch(case, _slot_for(case, target.revision), target.revision)


def _slot_for(case: Case, revision: Revision) -> Slot:
    """The slot that serves; a revision that reads another subscription begins in the first slot,
    whose subscription is the spec's own."""
    serving = case.ledger.slots[case.active].subscription
    return case.active if revision.place.subscription_of(case.active) == serving else Slot.A


def _launch(case: Case, slot: Slot, revision: Revision) -> Answer:
    held_up = _held_up(case, revision)
    reasons = [f"no job stands in slot {slot}; {revision.id} should run: {case.target.why}"]
    return held_up or _answer(Launch(slot, revision.id), *reasons)


def _held_up(case: Case, revision: Revision) -> Answer | None:
    """Whether a revision that failed has to wait, or for good."""
    failures = failures_of(case.ledger, revision.id)
    if not failures:
        return None
    kinds = ", ".join(failure.kind for failure in failures)
    if spent(failures, case.spec.restarts):
        return _answer(
            Ask(),
            f"{revision.id} ended {len(failures)} times ({kinds}). Remedy: mend it and change the "
            "spec or the model, or trigger `redeploy`",
        )
    due = next_try(failures, case.spec.restarts)
    if due is not None and case.now < due:
        return _answer(Wait(), f"{revision.id} ended ({kinds}); again at {due:%H:%M:%S}")
    return None


def _upgrade(case: Case, job: SeenJob) -> Answer:
    target, entry = case.target, case.entry(job)
    assert entry is not None
    override = case.ledger.override
    if override and override.kind == "redeploy" and override.job_id == job.id:
        return _stop(case, job, f"{override.by} has asked to redeploy it")
    if target.revision is None:
        return _answer(Ask(), f"{job} goes on; {target.why}")
    refused = (entry.revision.id, target.revision.id) in case.ledger.refused
    change, what = classify(entry.revision, job.workers, target.revision, refused)
    why = (f"{job}: {what}", target.why)
    match change:
        case Change.NONE:
            return _watch(case, job)
        case Change.TUNABLE:
            return _answer(Tune(job.id, target.revision.workers), *why)
        case _ if (held_up := _held_up(case, target.revision)) is not None:
            return held_up
        case Change.REFRESHABLE if job.launched_as is not None:
            return _answer(Refresh(job.id, job.launched_as, target.revision.id), *why)
        case Change.UPDATABLE | Change.REFRESHABLE if case.spec.upgrade.strategy == "update":
            return _answer(Update(case.active, target.revision.id, job.id), *why)
        case _ if _can_run_beside(case, entry.revision, target.revision):
            return _answer(Open(case.spare), *why)
        case _:
            return _stop(case, job, "; ".join(why))


def _can_run_beside(case: Case, running: Revision, target: Revision) -> bool:
    return case.spec.upgrade.strategy == "parallel" and running.place == target.place


def _watch(case: Case, job: SeenJob) -> Answer:
    entry = case.entry(job)
    found = found_of(case.ledger, job, case.spec, case.now)
    if found.verdict is Verdict.ILL:
        return _answer(
            Ask(),
            f"{job} is ill: {found}",
            "it is the revision that should run, and there is none to go back to",
        )
    if entry and entry.outcome is Outcome.LAUNCHED:
        return _answer(Wait(), f"{job} is on probation: {_state(case, job)}")
    return _answer(Nothing(), f"{job} runs as declared: {found}")


def _state(case: Case, job: SeenJob) -> str:
    entry = case.entry(job)
    if entry is None or entry.running_since is None:
        return f"it is {job.job.state}"
    found = found_of(case.ledger, job, case.spec, case.now)
    seconds = (case.now - entry.running_since).total_seconds()
    return f"{seconds:.0f} of {case.spec.health.stabilisation_seconds:.0f} s, {found}"


def _stop(case: Case, job: SeenJob, why: str) -> Answer:
    """Drains a job, and sees the drain to its end."""
    if job.job.state == "CANCELLING":
        return _answer(Wait(), f"{job} is being cancelled")
    asked_at = case.ledger.drains.get(job.id)
    if job.job.state == "DRAINING":
        return _draining(case, job, why)
    if job.job.starting:
        return _answer(Wait(), f"{job} is {job.job.state}: it can be drained once it runs", why)
    if asked_at is not None and case.now - asked_at < _GRACE:
        return _answer(Wait(), f"the drain of {job} is not seen yet")
    return _answer(Drain(job.id), why)


def _draining(case: Case, job: SeenJob, why: str) -> Answer:
    asked_at = case.ledger.drains.get(job.id)
    deadline = asked_at + case.timing.drain if asked_at else None
    if deadline is None or case.now < deadline:
        return _answer(Wait(), f"{job} is being drained: {why}")
    if case.spec.drain.after_deadline == "wait":
        return _answer(
            Ask(),
            f"{job} is still DRAINING past its deadline. Remedy: mend what its errors tell of, or "
            "trigger `cancel`",
        )
    return _answer(
        Cancel(job.id),
        f"{job} is still DRAINING past its deadline: it is cancelled, and what it had under way is "
        "read again",
    )
