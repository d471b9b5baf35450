"""What an observation adds to the ledger, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.budget import failed_at_once, failures_of, spent
from nightstream.lifecycle.health import Diagnosis, Verdict, diagnose
from nightstream.lifecycle.ledger import Entry, Failure, FailureKind, Intent, Ledger, Outcome
from nightstream.lifecycle.readings import first_reading, health_over, kept
from nightstream.lifecycle.snapshot import SeenJob, Snapshot

_TRIED = (Outcome.PROPOSED, Outcome.LAUNCHED, Outcome.FAILED)


@dataclass(frozen=True)
class Learned:
    """The ledger with what was seen in it, and a sentence on each thing that is new."""

    ledger: Ledger
    news: tuple[str, ...] = ()
    alarming: tuple[str, ...] = ()
    """Those of the news that a person should hear of."""

    def adding(self, news: str, *, alarming: bool = False, **changes: object) -> Learned:
        return Learned(
            self.ledger.model_copy(update=changes),
            (*self.news, news),
            (*self.alarming, news) if alarming else self.alarming,
        )

    def with_entry(
        self, entry: Entry, news: str, *, alarming: bool = False, **changes: object
    ) -> Learned:
        entries = {**self.ledger.entries, entry.revision.id: entry}
        return self.adding(news, alarming=alarming, entries=entries, **changes)


def learn(seen: Snapshot, spec: LifecycleSpec, now: datetime) -> Learned:
    """Everything that can be read off a snapshot; the same snapshot adds nothing twice."""
    learned = _remembered(seen, spec, now)
    learned = _proposed(learned, seen, now)
    learned = _override_over(learned, seen)
    learned = _intent_settled(learned, seen, now)
    for job in seen.jobs:
        if job.ended:
            learned = _ended(learned, job, now)
    for job in seen.standing():
        if job.running:
            learned = _running(learned, job, now)
            learned = _judged(learned, job, spec, now)
    return _given_up(learned, spec, now)


def found_of(ledger: Ledger, job: SeenJob, spec: LifecycleSpec, now: datetime) -> Diagnosis:
    """What is found of a job's health by now, as the revision that it serves."""
    entry = ledger.entries.get(job.revision or "")
    since = entry.running_since if entry and entry.running_since else job.created_at
    window = timedelta(seconds=spec.health.window_seconds)
    health = health_over(ledger.readings.get(job.id, ()), window, since, now)
    return diagnose(health, spec.health)


def job_of(intent: Intent, seen: Snapshot) -> SeenJob | None:
    """The job that came of an intent."""
    found = [
        job
        for job in seen.jobs
        if (job.slot, job.launched_as or job.revision) == (intent.slot, intent.revision)
        and job.id not in intent.known_ids
    ]
    return found[-1] if found else None


def _remembered(seen: Snapshot, spec: LifecycleSpec, now: datetime) -> Learned:
    """The jobs that stand and their readings; those of jobs that are gone are forgotten, and how
    long a revision has run is counted anew when it runs again."""
    window = timedelta(seconds=spec.health.window_seconds)
    readings = {}
    for job in seen.standing():
        earlier = seen.ledger.readings.get(job.id) or (first_reading(job.created_at),)
        new = seen.readings.get(job.id)
        readings[job.id] = kept(earlier, new, window) if new else earlier
    standing = tuple(dict.fromkeys(job.id for job in seen.standing()))
    running = {job.revision for job in seen.standing() if job.running}
    entries = {
        name: entry if name in running else entry.model_copy(update={"running_since": None})
        for name, entry in seen.ledger.entries.items()
    }
    changes = {
        "jobs": standing,
        "readings": readings,
        "entries": entries,
        "drains": _drains(seen, now),
        "cancels": {id_: at for id_, at in seen.ledger.cancels.items() if id_ in standing},
    }
    return Learned(seen.ledger.model_copy(update=changes))


def _drains(seen: Snapshot, now: datetime) -> dict[str, datetime]:
    """Since when the jobs that stand are being drained, by whomever."""
    asked_at = seen.ledger.drains
    return {
        job.id: asked_at.get(job.id, now)
        for job in seen.standing()
        if job.id in asked_at or job.job.state == "DRAINING"
    }


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
    """An end that nobody asked for counts, once."""
    ledger = learned.ledger
    entry = ledger.entries.get(job.revision or "")
    if entry is None or job.id in ledger.stopped or job.job.state == "UPDATED":
        return learned
    news = f"{job} is {job.job.state}, which nobody asked for here"
    kind, ended = FailureKind.STOPPED, entry
    if job.job.state == "FAILED":
        kind = FailureKind.CRASH if entry.outcome is Outcome.STABLE else FailureKind.RELEASE
    if kind is FailureKind.RELEASE and entry.outcome in _TRIED:
        ended = entry.became(Outcome.FAILED, now, (news,))
    failure = Failure(at=now, kind=kind, revision=entry.revision.id, job_id=job.id)
    return learned.with_entry(
        ended.model_copy(update={"running_since": None}),
        news,
        alarming=True,
        failures=(*ledger.failures, failure),
        stopped=(*ledger.stopped, job.id),
    )


def _running(learned: Learned, job: SeenJob, now: datetime) -> Learned:
    entry = learned.ledger.entries.get(job.revision or "")
    if entry is None or entry.running_since is not None:
        return learned
    if entry.outcome in (Outcome.PROPOSED, Outcome.FAILED):
        entry = entry.became(Outcome.LAUNCHED, now)
    begun = entry.model_copy(update={"running_since": now})
    return learned.with_entry(begun, f"{job} runs {entry.revision.id}")


def _judged(learned: Learned, job: SeenJob, spec: LifecycleSpec, now: datetime) -> Learned:
    """A revision on probation passes it or is rejected; a restarted one has recovered."""
    entry = learned.ledger.entries.get(job.revision or "")
    if entry is None or entry.running_since is None:
        return learned
    found = found_of(learned.ledger, job, spec, now)
    if entry.outcome is Outcome.LAUNCHED and found.verdict is Verdict.ILL:
        chosen = learned.ledger.chosen == entry.revision.id
        return learned if chosen else _reject(learned, entry, found.reasons, now)
    passed = now - entry.running_since >= timedelta(seconds=spec.health.stabilisation_seconds)
    if found.verdict is not Verdict.GOOD or not passed:
        return learned
    return _good(learned, entry, found, now)


def _good(learned: Learned, entry: Entry, found: Diagnosis, now: datetime) -> Learned:
    ledger, name = learned.ledger, entry.revision.id
    failures = tuple(failure for failure in ledger.failures if failure.revision != name)
    if entry.outcome is Outcome.LAUNCHED:
        news = f"{name} is stable: {found}"
        stable = entry.became(Outcome.STABLE, now)
        return learned.with_entry(stable, news, stable=name, failures=failures)
    if entry.outcome is Outcome.STABLE and ledger.stable != name:
        news = f"{name} is stable again: {found}"
        stable = entry.became(Outcome.STABLE, now)
        return learned.with_entry(stable, news, stable=name, failures=failures)
    if failures != ledger.failures:
        return learned.adding(f"{name} has recovered: {found}", failures=failures)
    return learned


def _reject(learned: Learned, entry: Entry, reasons: tuple[str, ...], now: datetime) -> Learned:
    """The revision is not tried again."""
    rejected = entry.became(Outcome.REJECTED, now, reasons)
    news = f"{entry.revision.id} is rejected: {'; '.join(reasons)}"
    return learned.with_entry(rejected, news, alarming=True)


def _given_up(learned: Learned, spec: LifecycleSpec, now: datetime) -> Learned:
    """A revision that was never stable and keeps failing makes way for one that was."""
    ledger = learned.ledger
    for name, entry in ledger.entries.items():
        if entry.outcome in _TRIED and ledger.stable not in (None, name) and name != ledger.chosen:
            failures = failures_of(ledger, name)
            if spent(failures, spec.restarts) or failed_at_once(failures):
                learned = _reject(learned, entry, (f"it failed {len(failures)} times",), now)
    return learned
