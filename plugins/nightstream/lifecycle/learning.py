"""What an observation adds to the ledger, before anything is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.judging import given_up, judged
from nightstream.lifecycle.learned import Learned
from nightstream.lifecycle.ledger import Entry, Failure, FailureKind, Intent, Outcome
from nightstream.lifecycle.remembering import forgotten, remembered
from nightstream.lifecycle.snapshot import SeenJob, Snapshot


def learn(seen: Snapshot, spec: LifecycleSpec, now: datetime) -> Learned:
    """Everything that can be read off a snapshot; the same snapshot adds nothing twice."""
    learned = Learned(remembered(seen, spec, now))
    learned = _proposed(learned, seen, now)
    learned = _override_over(learned, seen)
    learned = _intent_settled(learned, seen, now)
    for job in _ended_since(seen):
        learned = _ended(learned, job, now)
    for job in seen.standing():
        if job.running:
            learned = _running(learned, job, now)
            learned = judged(learned, job, spec, now)
    learned = given_up(learned, spec, now)
    return replace(learned, ledger=forgotten(learned.ledger, seen))


def _ended_since(seen: Snapshot) -> list[SeenJob]:
    """The jobs that have ended since the last round: they stood then, or are those that it was
    about to launch. Any other is no affair of this ledger."""
    intent = seen.ledger.intent
    came = job_of(intent, seen) if intent else None
    stood = {*seen.ledger.jobs, came.id if came else None}
    return [job for job in seen.jobs if job.ended and job.id in stood]


def job_of(intent: Intent, seen: Snapshot) -> SeenJob | None:
    """The job that came of an intent."""
    found = [
        job
        for job in seen.jobs
        if (job.slot, job.launched_as or job.revision) == (intent.slot, intent.revision)
        and job.id not in intent.known_ids
    ]
    return found[-1] if found else None


def _proposed(learned: Learned, seen: Snapshot, now: datetime) -> Learned:
    wanted = seen.wanted
    if wanted is None:
        return learned
    known = learned.ledger.entries.get(wanted.id)
    if known is None:
        entry = Entry(revision=wanted, times={Outcome.PROPOSED: now})
        return learned.with_entry(entry, f"revision {wanted.id} is new")
    if known.revision.workers != wanted.workers:
        revision = known.revision.model_copy(update={"workers": wanted.workers})
        changed = known.model_copy(update={"revision": revision})
        return learned.with_entry(changed, f"revision {wanted.id} should have other workers")
    return learned


def _override_over(learned: Learned, seen: Snapshot) -> Learned:
    """What was asked for once ends when it has come to be, or lost its object."""
    override = learned.ledger.override
    if override is None or seen.wanted is None:
        return learned
    if override.kind == "redeploy" and override.job_id not in learned.ledger.jobs:
        return learned.adding("the job that was to be redeployed has ended", override=None)
    if override.kind == "roll_back" and override.instead_of != seen.wanted.id:
        return learned.adding(f"{seen.wanted.id} is declared: the roll-back ends", override=None)
    return learned


def _intent_settled(learned: Learned, seen: Snapshot, now: datetime) -> Learned:
    intent = learned.ledger.intent
    if intent is None:
        return learned
    job = job_of(intent, seen)
    if job is not None:
        return _seen(learned, intent, job, seen)
    if now < intent.expires_at:
        return learned
    failure = Failure(at=now, kind=FailureKind.LAUNCH, revision=intent.revision, job_id=None)
    failures = (*learned.ledger.failures, failure)
    news = f"no job came of launching {intent.revision}"
    return learned.adding(news, alarming=True, intent=None, failures=failures)


def _seen(learned: Learned, intent: Intent, job: SeenJob, seen: Snapshot) -> Learned:
    """A job came of the intent. One that failed while that which it should replace runs on was
    refused by the service."""
    if intent.replaces is None:
        return learned.adding(f"{job} came of the launch", intent=None)
    old = next((j for j in seen.jobs if j.id == intent.replaces), None)
    if not job.ended or job.job.state == "UPDATED":
        over = old is None or old.ended
        return learned.adding(f"{job} has taken over", intent=None) if over else learned
    if job.job.state != "FAILED" or old is None or old.ended or old.revision is None:
        return learned.adding(f"{job} ended {job.job.state} as it took over", intent=None)
    stopped = (*learned.ledger.stopped, job.id)
    refused = (*learned.ledger.refused, (old.revision, intent.revision))
    return learned.adding(
        f"the service refused to update {old} in place",
        intent=None,
        refused=refused,
        stopped=stopped,
    )


def _ended(learned: Learned, job: SeenJob, now: datetime) -> Learned:
    """An end that nobody asked for counts."""
    ledger = learned.ledger
    entry = ledger.entries.get(job.revision or "")
    if entry is None or job.id in ledger.stopped or job.job.state == "UPDATED":
        return learned
    news = f"{job} is {job.job.state}, which nobody asked for here"
    kind, ended = FailureKind.STOPPED, entry
    if job.job.state == "FAILED":
        kind = FailureKind.CRASH if entry.outcome is Outcome.STABLE else FailureKind.RELEASE
    if kind is FailureKind.RELEASE and entry.outcome.unproved:
        ended = entry.became(Outcome.FAILED, now, (news,))
    failure = Failure(at=now, kind=kind, revision=entry.revision.id, job_id=job.id)
    return learned.with_entry(
        ended.model_copy(update={"running_since": None}),
        news,
        alarming=True,
        failures=(*ledger.failures, failure),
    )


def _running(learned: Learned, job: SeenJob, now: datetime) -> Learned:
    entry = learned.ledger.entries.get(job.revision or "")
    if entry is None or entry.running_since is not None:
        return learned
    if entry.outcome in (Outcome.PROPOSED, Outcome.FAILED):
        entry = entry.became(Outcome.LAUNCHED, now)
    begun = entry.model_copy(update={"running_since": now})
    return learned.with_entry(begun, f"{job} runs {entry.revision.id}")
