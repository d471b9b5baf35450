"""How a run's Dataflow job is named and labelled, and what its labels tell."""

from __future__ import annotations

from nightstream.jobs.job import Job, label_values
from nightstream.runs import ResolvedRun


def job_prefix(service: str) -> str:
    """How the names of a service's nightly jobs begin (other services' may begin so, too)."""
    return f"{service.replace('_', '-')}-batch-"


def job_name(service: str, run_key: str) -> str:
    """The name of a run's job; Dataflow lets only one job of a name be active."""
    return job_prefix(service) + run_key[:12]


def job_labels(run: ResolvedRun, attempt: int) -> dict[str, str]:
    """What the labels of a run's job say."""
    return label_values(
        {
            "service": run.service,
            "score_date": run.score_date.isoformat(),
            "run_key": run.run_key,
            "attempt": str(attempt),
            "model_version": run.model_version,
        }
    )


def attempt_of(job: Job) -> int | None:
    """The attempt whose folder the job writes; None for a job that is no run's."""
    label = job.labels.get("attempt", "")
    return int(label) if label.isdecimal() else None


def belongs_to(job: Job, run_key: str) -> bool:
    """Whether the job scores that run."""
    return job.labels.get("run_key") == run_key and attempt_of(job) is not None
