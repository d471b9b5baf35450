"""What to do about a service's streaming job. Pure: what was seen in, one decision out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nightstream.forms.streaming import Action
from nightstream.jobs.job import Job, Phase
from nightstream.streaming.naming import revision_of


@dataclass(frozen=True)
class Adopt:
    """The revision runs, or is about to."""

    job: Job


@dataclass(frozen=True)
class Wait:
    """A job must get somewhere first, or be understood by somebody."""

    job: Job
    until: datetime | None = None
    """When to look again, though the job be as it is now."""


@dataclass(frozen=True)
class Refuse:
    """A person has to decide."""

    reason: str


@dataclass(frozen=True)
class Launch:
    """Nothing bears the name."""


@dataclass(frozen=True)
class Reached:
    """The job is where it was asked to be."""


def decide_start(standing: Sequence[Job], revision: str) -> Adopt | Wait | Refuse | Launch:
    """How to come to a running job of that revision, given all jobs of its name that have not
    ended."""
    for job in standing:
        if job.phase is not Phase.ACTIVE:
            return Wait(job)
    for job in standing:
        if revision_of(job) != revision:
            other = revision_of(job) or "of somebody else, without the label `revision`"
            return Refuse(
                f"job {job.name} ({job.id}) is {job.state} with revision {other}; to be started is "
                f"{revision}. Remedy: trigger this DAG with the action `drain`, then `start` again"
            )
    return Adopt(standing[0]) if standing else Launch()


def judge(action: Action, job: Job, deadline: datetime, now: datetime) -> Reached | Wait | Refuse:
    """Whether a job is where it was asked to be.

    deadline: of a drain; a cancelled job and a starting one end by themselves.
    """
    match action:
        case Action.START:
            return _judge_start(job)
        case Action.DRAIN:
            return _judge_drain(job, deadline, now)
        case Action.CANCEL:
            return Reached() if job.phase is Phase.ENDED else Wait(job)


def _judge_start(job: Job) -> Reached | Wait | Refuse:
    if job.state == "RUNNING":
        return Reached()
    if job.phase in (Phase.ACTIVE, Phase.UNKNOWN):
        return Wait(job)
    return Refuse(f"{job.name} ({job.id}) was launched and is {job.state}")


def _judge_drain(job: Job, deadline: datetime, now: datetime) -> Reached | Wait | Refuse:
    if job.state == "DRAINED":
        return Reached()
    if job.phase is Phase.ENDED:
        return Refuse(f"{job.name} ({job.id}) ended as {job.state} before it was drained")
    if now < deadline:
        return Wait(job, until=deadline)
    return Refuse(
        f"{job.name} ({job.id}) is still {job.state} at the deadline of its drain; it is left "
        "alone. Remedy: mend what its errors tell of and trigger `drain` again, which waits anew; "
        "or trigger `cancel`: what it has not finished is read again by the next job"
    )
