"""Jobs as they stood a moment ago, for reads that shall be stale."""

from __future__ import annotations

import time

from local.cloud.bigquery.store import Resource


def seconds_ago(seconds: float) -> int:
    """That moment in milliseconds since 1970."""
    return int((time.time() - seconds) * 1000)


def as_of(job: Resource, moment_ms: int) -> Resource | None:
    """A job as it was at a moment; None before it was created."""
    times = job["statistics"]
    if int(times["creationTime"]) > moment_ms:
        return None
    if "endTime" not in times or int(times["endTime"]) <= moment_ms:
        return job
    running = int(times["startTime"]) <= moment_ms
    known = ("creationTime", "startTime") if running else ("creationTime",)
    return {
        **job,
        "status": {"state": "RUNNING" if running else "PENDING"},
        "statistics": {name: times[name] for name in known},
    }
