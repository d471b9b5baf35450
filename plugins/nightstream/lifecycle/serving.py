"""The slot that serves: its job is brought up, upgraded and watched."""

from __future__ import annotations

from nightstream.jobs.job import Phase
from nightstream.lifecycle.actions import (
    Ask,
    Launch,
    Nothing,
    Open,
    Refresh,
    Seek,
    Tune,
    Update,
    Wait,
)
from nightstream.lifecycle.answer import Answer, answer
from nightstream.lifecycle.budget import failures_of, next_try, spent, times
from nightstream.lifecycle.case import Case
from nightstream.lifecycle.health import Verdict
from nightstream.lifecycle.jobs import ill, starting, state_of, stop
from nightstream.lifecycle.judging import found_of
from nightstream.lifecycle.ledger import Outcome
from nightstream.lifecycle.revisions import Change, Revision, classify
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.streaming.naming import Slot


def serve(case: Case) -> Answer:
    """The slot that serves."""
    job = case.job(case.active)
    if job is None:
        return _bring_up(case)
    if job.job.phase is Phase.STOPPING:
        return stop(case, job, "it has to end before another begins")
    if not job.running:
        return starting(case, job, f"{job} is {job.job.state}")
    return _upgrade(case, job)


def _bring_up(case: Case) -> Answer:
    target = case.target
    if target.revision is None:
        return answer(
            Ask(),
            f"no revision can be launched: {target.why}. Remedy: "
            + ("mend that" if target.problem else "change the spec or the model, or `redeploy`"),
        )
    return launch(case, _slot_for(case, target.revision), target.revision)


def _slot_for(case: Case, revision: Revision) -> Slot:
    """The slot that serves; a revision that reads another subscription begins in the first slot,
    whose subscription is the spec's own."""
    serving = case.ledger.slots[case.active].subscription
    return case.active if revision.place.subscription_of(case.active) == serving else Slot.A


def launch(case: Case, slot: Slot, revision: Revision) -> Answer:
    """A job in a slot where none stands."""
    opened = case.ledger.slots.get(slot)
    if opened is not None and opened.seek_to is not None:
        return answer(
            Seek(slot, opened.seek_to),
            "what the cancelled job had under way is read again, from "
            f"{opened.seek_to:%H:%M:%S} on",
        )
    held_up = _held_up(case, revision)
    launched = answer(Launch(slot, revision.id), f"no job stands in slot {slot}", case.target.why)
    return held_up or launched


def _held_up(case: Case, revision: Revision) -> Answer | None:
    """Whether a revision that failed has to wait, or for good."""
    failures = failures_of(case.ledger, revision.id)
    if not failures:
        return None
    if spent(failures, case.spec.restarts):
        return answer(
            Ask(),
            f"{revision.id} ended {times(failures)}. Remedy: mend it and change the spec or the "
            "model, or trigger `redeploy`",
        )
    due = next_try(failures, case.spec.restarts)
    if due is not None and case.now < due:
        return answer(Wait(), f"{revision.id} ended {times(failures)}; again at {due:%H:%M:%S}")
    return None


def _upgrade(case: Case, job: SeenJob) -> Answer:
    target, entry = case.target, case.entry(job)
    assert entry is not None
    override = case.ledger.override
    if target.revision is None:
        return answer(
            Ask(),
            f"{job} goes on, as there is no other to go back to: {target.why}. Remedy: change the "
            "spec or the model",
        )
    if (
        override
        and override.kind == "redeploy"
        and override.job_id == job.id
        and not target.problem
    ):
        return stop(case, job, f"{override.by} has asked to redeploy it")
    refused = (entry.revision.id, target.revision.id) in case.ledger.refused
    change, what = classify(entry.revision, job.workers, target.revision, refused)
    why = (f"{job}: {what}", target.why)
    match change:
        case Change.NONE:
            return _watch(case, job)
        case Change.TUNABLE:
            return answer(Tune(job.id, target.revision.workers), *why)
        case _ if (held_up := _held_up(case, target.revision)) is not None:
            return held_up
        case Change.REFRESHABLE if job.launched_as is not None:
            return answer(Refresh(job.id, job.launched_as, target.revision.id), *why)
        case Change.UPDATABLE | Change.REFRESHABLE if case.spec.upgrade.strategy == "update":
            return answer(Update(case.active, target.revision.id, job.id), *why)
        case _ if belongs_beside(case, job, target.revision):
            return answer(Open(case.spare), *why)
        case _:
            return stop(case, job, "; ".join(why))


def belongs_beside(case: Case, old: SeenJob, target: Revision) -> bool:
    """Whether the revision is to run in a job of its own beside the old one, for the same
    requests."""
    entry = case.entry(old)
    if entry is None or case.spec.upgrade.strategy != "parallel":
        return False
    change, _ = classify(entry.revision, old.workers, target, refused=False)
    refreshed = change is Change.REFRESHABLE and old.launched_as is not None
    another_job = change in (Change.REFRESHABLE, Change.UPDATABLE, Change.INCOMPATIBLE)
    return another_job and not refreshed and entry.revision.place == target.place


def _watch(case: Case, job: SeenJob) -> Answer:
    entry = case.entry(job)
    if (illness := ill(case, job)) is not None:
        return illness
    if case.target.problem:
        return answer(Ask(), f"{job} goes on as it is: {case.target.why}. Remedy: mend that")
    if entry and entry.outcome is Outcome.LAUNCHED:
        return answer(Wait(), f"{job} is on probation: {state_of(case, job)}")
    found = found_of(case.ledger, job, case.spec, case.now)
    known = found.verdict is not Verdict.UNKNOWN
    action = Nothing() if known else Wait()
    return answer(action, f"{job} runs what should run: {found}", case.target.why)
