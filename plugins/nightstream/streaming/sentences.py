"""What is seen and what is decided, in sentences for the log and the UI."""

from __future__ import annotations

from collections.abc import Iterator

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
from nightstream.lifecycle.decision import Decision
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.snapshot import SeenJob, Snapshot


def seen_sentences(seen: Snapshot) -> list[str]:
    """What is declared, each job, and how each running one does."""
    return [_declared(seen), _ledger(seen), *_jobs(seen)]


def decision_sentences(decision: Decision) -> list[str]:
    """What was learned, what is done, and why."""
    return [*decision.news, f"Action: {action_sentence(decision.action)}", *decision.reasons]


def job_of(decision: Decision) -> str | None:
    """The job that a decision is about; else the one that came last of those that stand."""
    own = getattr(decision.action, "job_id", None)
    standing = decision.before.jobs
    return own or (standing[-1] if standing else None)


def action_sentence(action: Action) -> str:
    """The action in words."""
    match action:
        case Nothing():
            return "nothing is to be done"
        case Wait():
            return "wait for what is under way"
        case Ask():
            return "ask a person"
        case Launch(slot, revision):
            return f"launch revision {revision} in slot {slot}"
        case Update(slot, revision, job_id):
            return f"update job {job_id} of slot {slot} in place, to revision {revision}"
        case Refresh(job_id, _, revision):
            return f"point job {job_id} to the model of revision {revision}"
        case Tune(job_id, workers):
            return f"give job {job_id} {workers.least} to {workers.most} workers"
        case Drain(job_id):
            return f"drain job {job_id}"
        case Cancel(job_id):
            return f"cancel job {job_id}"
        case Open(slot):
            return f"open slot {slot} with a subscription of its own"
        case Close(slot):
            return f"close slot {slot} and delete its subscription"
        case Seek(slot, to):
            return f"bring the subscription of slot {slot} back to {to:%d %B %H:%M:%S}"


def _declared(seen: Snapshot) -> str:
    if seen.wanted is None:
        return f"What is declared cannot be told: {seen.problem}"
    workers = seen.wanted.workers
    return (
        f"Declared is revision {seen.wanted.id} with model {seen.wanted.model_version} and "
        f"{workers.least} to {workers.most} workers"
    )


def _ledger(seen: Snapshot) -> str:
    ledger = seen.ledger
    asked = ledger.override
    override = f"; {asked.by} has asked for {asked.kind}" if asked else ""
    return f"Stable last was {ledger.stable or 'none'}; slot {ledger.active} serves{override}"


def _jobs(seen: Snapshot) -> Iterator[str]:
    for job in seen.jobs:
        yield _job(job)
        if job.running:
            yield _reading(job, seen.readings.get(job.id))
    if not seen.standing():
        yield "No job stands"


def _job(job: SeenJob) -> str:
    revision = f"revision {job.revision}" if job.revision else "no revision of ours"
    return f"{job} in slot {job.slot} is {job.job.state} with {revision}"


def _reading(job: SeenJob, reading: Reading | None) -> str:
    if reading is None:
        return f"{job} could not be read"
    age, oldest = reading.watermark_age_seconds, reading.oldest_unacked_seconds
    return (
        f"{job} so far: requests {_number(reading.requests)}, dead letters "
        f"{_number(reading.dead)}, error messages {_number(reading.errors)}; waiting "
        f"{_number(reading.backlog)}, the oldest for {_seconds(oldest)}; age of its watermark "
        f"{_seconds(age)}"
    )


def _number(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _seconds(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{seconds:.0f} s"
