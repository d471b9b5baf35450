"""What to do about a run's job. Pure: what was seen of jobs and files in, one decision out."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from nightstream.jobs.job import Job, Phase
from nightstream.scoring.jobs import attempt_of, belongs_to


@dataclass(frozen=True)
class Seen:
    """What there is of one run."""

    run_key: str
    jobs: tuple[Job, ...]
    """All jobs of the run's job name, whatever their state; forgotten after 30 days."""
    attempts: Set[int]
    """Attempts that have a folder."""
    complete: Set[int]
    """Attempts whose manifest is there."""

    def job_of(self, attempt: int) -> Job | None:
        """The job that wrote an attempt, as long as the service remembers it."""
        ours = (job for job in self.jobs if belongs_to(job, self.run_key))
        return next((job for job in ours if attempt_of(job) == attempt), None)


@dataclass(frozen=True)
class Reuse:
    """The output is there."""

    attempt: int


@dataclass(frozen=True)
class Adopt:
    """A job is at it: wait for it."""

    job: Job


@dataclass(frozen=True)
class Wait:
    """A job holds the name and must end first, or be understood by somebody."""

    job: Job
    reason: str


@dataclass(frozen=True)
class Launch:
    """Nothing is there and nothing is on its way."""

    attempt: int


Decision = Reuse | Adopt | Wait | Launch


def decide(seen: Seen, force: bool = False, mine: int | None = None) -> Decision:
    """The one thing to do now.

    force: output that is there already does not count, except that of `mine`, the attempt that
        this DAG run itself launched or adopted before.
    """
    usable = seen.complete & ({mine} if force else seen.complete)
    if usable:
        return Reuse(max(usable))
    standing = [job for job in seen.jobs if job.phase is not Phase.ENDED]
    for job in standing:
        if not belongs_to(job, seen.run_key):
            return Wait(job, f"job {job.id} holds the name {job.name} and is not of this run")
        if job.phase is not Phase.ACTIVE:
            return Wait(job, f"job {job.id} is in state {job.state}")
    if standing:
        return Adopt(standing[0])
    launched = {attempt_of(job) or 0 for job in seen.jobs}
    return Launch(max(seen.attempts | seen.complete | launched, default=0) + 1)
