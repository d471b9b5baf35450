"""What an observation adds to the ledger, before anything is decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.budget import spent
from nightstream.lifecycle.health import Diagnosis, Verdict, diagnose
from nightstream.lifecycle.ledger import Entry, Failure, FailureKind, Intent, Ledger, Outcome
from nightstream.lifecycle.snapshot import SeenJob, Snapshot


@dataclass(frozen=True)
class Learned:
    """The ledger with what was seen in it, and a sentence on each thing that is new."""

    ledger: Ledger
    news: tuple[str, ...] = ()

    def adding(self, news: str, **changes: object) -> Learned:
        return Learned(self.ledger.model_copy(update=changes), (*self.news, news))

    def with_entry(self, entry: Entry, news: str, **changes: object) -> Learned:
        entries = {**self.ledger.entries, entry.revision.id: entry}
        return self.adding(news, entries=entries, **changes)


def learn(seen: Snapshot, spec: LifecycleSpec, now: datetime) -> Learned:
    """Everything that can be read off a snapshot; the same snapshot adds nothing twice."""
    standing = tuple(job.id for job in seen.standing())
    learned = Learned(seen.ledger.model_copy(update={"jobs": standing}))
    learned = _proposed(learned, seen, now)
    learned = _intent_settled(learned, seen, now)
    for job in seen.jobs:
        if job.ended:
            learned = _ended(learned, job, now)
    for job in seen.standing():
        if job.running:
            learned = _running(learned, job, now)
            learned = _judged(learned, job, seen, spec, now)
    return _given_up(learned, spec)


def _proposed(learned: Learned, seen: Snapshot, now: datetime) -> Learned:
    wanted = seen.wanted
    if wanted is None:
        return learned
    known = learned.ledger.entries.get(wanted.id)
    if known is None:
        entry = Entry(revision=wanted, proposed_at=now)
        return learned.with_entry(entry, f"revision {wanted.id} is new")
    if known.revision != wanted:
        changed = known.model_copy(update={"revision": wanted})
        return learned.with_entry(changed, f"revision {wanted.id} should have other workers")
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
    return learned.adding(
        f"no job came of launching {intent.revision}", intent=None, failures=failures
    )


def _seen(learned: Learned, intent: Intent, job: SeenJob, seen: Snapshot) -> Learned:
    """A job came of the intent. One that failed while that which it should replace runs on was
    refused by the service."""
    if intent.replaces is None:
        return learned.adding(f"{job} came of the launch", intent=None)
    old = next((j for j in seen.jobs if j.id == intent.replaces), None)
    if not job.ended or job.job.state == "UPDATED":
        over = old is None or old.ended
        return learned.adding(f"{job} has taken over", intent=None) if over else learned
    stopped = (*learned.ledger.stopped, job.id)
    if old is None or old.ended or old.revision is None:
        return learned.adding(f"{job} failed as it took over", intent=None)
    refused = (*learned.ledger.refused, (old.revision, intent.revision))
    return learned.adding(
        f"the service refused to update {old} in place",
        intent=None,
        refused=refused,
        stopped=stopped,
    )


def job_of(intent: Intent, seen: Snapshot) -> SeenJob | None:
    """The job that came of an intent."""
    found = [
        job
        for job in seen.jobs
        if (job.slot, job.revision) == (intent.slot, intent.revision)
        and job.id not in intent.known_ids
    ]
    return found[-1] if found else None


def _ended(learned: Learned, job: SeenJob, now: datetime) -> Learned:
    """An end that nobody asked for counts, once."""
    ledger = learned.ledger
    counted = {failure.job_id for failure in ledger.failures}
    entry = ledger.entries.get(job.revision or "")
    asked_for = job.id in ledger.stopped or job.job.state == "UPDATED"
    if entry is None or asked_for or job.id in counted:
        return learned
    kind = FailureKind.STOPPED
    if job.job.state == "FAILED":
        stable = entry.outcome is Outcome.STABLE
        kind = FailureKind.CRASH if stable else FailureKind.RELEASE
    failure = Failure(at=now, kind=kind, revision=entry.revision.id, job_id=job.id)
    ended = entry.model_copy(update={"running_since": None})
    news = f"{job} is {job.job.state}, which nobody asked for here"
    return learned.with_entry(ended, news, failures=(*ledger.failures, failure))


def _running(learned: Learned, job: SeenJob, now: datetime) -> Learned:
    entry = learned.ledger.entries.get(job.revision or "")
    if entry is None or entry.running_since is not None:
        return learned
    outcome = entry.outcome
    if outcome in (Outcome.PROPOSED, Outcome.FAILED):
        outcome = Outcome.LAUNCHED
    begun = entry.model_copy(update={"running_since": now, "outcome": outcome})
    return learned.with_entry(begun, f"{job} runs")


def _judged(
    learned: Learned, job: SeenJob, seen: Snapshot, spec: LifecycleSpec, now: datetime
) -> Learned:
    """A revision on probation passes it or is rejected; a restarted one has recovered."""
    entry = learned.ledger.entries.get(job.revision or "")
    if entry is None or entry.running_since is None:
        return learned
    found = diagnose(seen.health.get(job.id), spec.health)
    if entry.outcome is Outcome.LAUNCHED and found.verdict is Verdict.ILL:
        return reject(learned, entry, found.reasons)
    passed = now - entry.running_since >= timedelta(seconds=spec.health.stabilisation_seconds)
    if found.verdict is not Verdict.GOOD or not passed:
        return learned
    return _good(learned, entry, found, now)


def _good(learned: Learned, entry: Entry, found: Diagnosis, now: datetime) -> Learned:
    ledger, name = learned.ledger, entry.revision.id
    kept = tuple(failure for failure in ledger.failures if failure.revision != name)
    if entry.outcome is Outcome.LAUNCHED:
        stable = entry.model_copy(update={"outcome": Outcome.STABLE, "stable_at": now})
        return learned.with_entry(stable, f"{name} is stable: {found}", stable=name, failures=kept)
    if kept != ledger.failures:
        return learned.adding(f"{name} has recovered: {found}", failures=kept)
    return learned


def reject(learned: Learned, entry: Entry, reasons: tuple[str, ...]) -> Learned:
    """The revision is not tried again."""
    rejected = entry.model_copy(
        update={"outcome": Outcome.REJECTED, "reasons": reasons, "running_since": None}
    )
    news = f"{entry.revision.id} is rejected: {'; '.join(reasons)}"
    return learned.with_entry(rejected, news)


def _given_up(learned: Learned, spec: LifecycleSpec) -> Learned:
    """A revision that was never stable and keeps failing makes way for one that was."""
    ledger = learned.ledger
    for name, entry in ledger.entries.items():
        tried = entry.outcome in (Outcome.PROPOSED, Outcome.LAUNCHED)
        if tried and ledger.stable not in (None, name):
            failures = list(failures_of(ledger, name))
            if spent(failures, spec.restarts) or _failed_at_once(failures):
                learned = reject(learned, entry, (f"it failed {len(failures)} times",))
    return learned


def _failed_at_once(failures: Sequence[Failure]) -> bool:
    return any(failure.kind is FailureKind.RELEASE for failure in failures)


def failures_of(ledger: Ledger, revision: str) -> Iterator[Failure]:
    """What happened to a revision since it was last of good health."""
    return (failure for failure in ledger.failures if failure.revision == revision)
