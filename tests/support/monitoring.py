"""Cloud Monitoring as Google's client for it sees it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from googleapiclient import discovery

from tests.support.local_cloud import PROJECT, LocalCloud

JOB = "dataflow.googleapis.com/job/"
SUBSCRIPTION = "pubsub.googleapis.com/subscription/"


class Monitoring:
    """google-api-python-client's `monitoring` v3, pointed at a local cloud."""

    def __init__(self, cloud: LocalCloud) -> None:
        service = discovery.build(
            "monitoring",
            "v3",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=cloud.url),
            static_discovery=True,
        )
        self.projects = service.projects()

    def list(self, filter: str, start: float, end: float, **more: Any) -> dict[str, Any]:
        """timeSeries.list between two moments, in seconds since 1970."""
        found: dict[str, Any] = (
            self.projects.timeSeries()
            .list(
                name=f"projects/{PROJECT}",
                filter=filter,
                interval_startTime=text(start),
                interval_endTime=text(end),
                **more,
            )
            .execute()
        )
        return found

    def lately(self, metric: str, *conditions: str, seconds: float = 60) -> list[dict[str, Any]]:
        """The series of a metric with their points of the last minute."""
        now = time.time()
        filter = " AND ".join([f'metric.type = "{metric}"', *conditions])
        return list(self.list(filter, now - seconds, now)["timeSeries"])

    def values(self, metric: str, *conditions: str, seconds: float = 60) -> list[float]:
        """The numbers of all points of the last minute, newest first."""
        series = self.lately(metric, *conditions, seconds=seconds)
        return [value(point) for one in series for point in one["points"]]


def text(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()


def value(point: dict[str, Any]) -> float:
    (kind, found), *others = point["value"].items()
    assert kind in ("int64Value", "doubleValue")
    assert not others
    return float(found)
