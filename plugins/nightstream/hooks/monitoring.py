"""Cloud Monitoring by its REST API: its gRPC client can speak to Google alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
from googleapiclient.discovery import build

from beam_jobs.spec import EnvironmentSpec

_PATIENCE_S = 10
_RETRIES = 1
"""The next round reads again anyhow."""


class MonitoringHook(GoogleBaseHook):
    """The newest readings of the environment's jobs and subscriptions."""

    def __init__(self, environment: EnvironmentSpec) -> None:
        super().__init__(gcp_conn_id=environment.airflow.gcp_conn_id)
        self._endpoint = environment.monitoring.endpoint
        self._fresh = timedelta(seconds=environment.monitoring.fresh_seconds)
        self._project = environment.project

    def newest(self, metric: str, labels: Mapping[str, str], now: datetime) -> float | None:
        """The newest point of the one time series; None where there is none that is fresh.

        labels: what the series is known by, such as `resource.labels.job_name`.
        """
        conditions = {"metric.type": metric, **labels}
        request = self._time_series.list(
            name=f"projects/{self._project}",
            filter=" AND ".join(
                f"{key} = {json.dumps(value)}" for key, value in conditions.items()
            ),
            interval_startTime=(now - self._fresh).isoformat(),
            interval_endTime=now.isoformat(),
        )
        return newest_of(request.execute(num_retries=_RETRIES))

    @cached_property
    def _time_series(self) -> Any:
        http = self._authorize()
        http.http.timeout = _PATIENCE_S
        service = build(
            "monitoring",
            "v3",
            http=http,
            client_options={"api_endpoint": self._endpoint} if self._endpoint else None,
            cache_discovery=False,
        )
        return service.projects().timeSeries()


def newest_of(answer: Mapping[str, Any]) -> float | None:
    """The value of the newest point in an answer of timeSeries.list; None where there is none."""
    points = [point for series in answer.get("timeSeries", []) for point in series["points"]]
    newest = max(points, key=_moment, default=None)
    if newest is None:
        return None
    value = newest["value"]
    return float(value["int64Value"] if "int64Value" in value else value["doubleValue"])


def _moment(point: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(point["interval"]["endTime"]).astimezone(UTC)
