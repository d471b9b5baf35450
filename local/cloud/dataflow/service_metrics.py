"""The metrics that the service itself adds to a job's: how long, on how many processors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import Status
from local.cloud.supervised import now


def with_service_metrics(metrics: dict[str, Any], status: Status, workers: int) -> dict[str, Any]:
    """Adds ElapsedTime and TotalVcpuTime, in seconds, and CurrentVcpuCount, one per worker."""
    if not status.started:
        return metrics
    ended = status.state in states.TERMINAL
    moment = status.time if ended else now()
    elapsed = (_instant(moment) - _instant(status.started)).total_seconds()
    values = {
        "ElapsedTime": round(elapsed, 3),
        "TotalVcpuTime": round(elapsed * workers, 3),
        "CurrentVcpuCount": 0 if ended else workers,
    }
    added = [
        {
            "name": {"origin": "dataflow/v1b3", "name": name, "context": marks},
            "scalar": value,
            "updateTime": moment,
        }
        for name, value in values.items()
        for marks in ({}, {"tentative": "true"})
    ]
    return {**metrics, "metrics": metrics["metrics"] + added}


def _instant(time: str) -> datetime:
    return datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
