"""How a service's streaming jobs are named and labelled, and what their labels tell."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from nightstream.jobs.job import Job, label_values


class Slot(StrEnum):
    """Where a streaming job of a service runs; the second is for upgrades side by side."""

    A = "a"
    B = "b"


def live_job_name(service: str, slot: Slot) -> str:
    """The name of the job in a slot; Dataflow lets only one job of a name be active."""
    return f"{service.replace('_', '-')}-live-{slot}"


def live_job_labels(service: str, slot: Slot, revision: str, model_version: str) -> dict[str, str]:
    """What the labels of a streaming job say."""
    return label_values(
        {
            "service": service,
            "slot": slot,
            "revision": revision,
            "model_version": model_version,
        }
    )


def revision_of(job: Job) -> str | None:
    """The revision that a job runs; None for a job that is not ours."""
    return job.labels.get("revision")


def jobs_of(service: str, jobs: Iterable[Job]) -> list[Job]:
    """Those that are the service's, whatever else bears such a name."""
    return [job for job in jobs if job.labels.get("service") == service]
