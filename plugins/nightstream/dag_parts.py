"""What the DAGs have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from beam_jobs.spec import EnvironmentSpec, ServiceSpec

LONG_OVER = datetime(2026, 1, 1, tzinfo=UTC)
"""The start of a DAG that makes up for nothing: any day that is over."""


def service_task(spec: ServiceSpec, environment: EnvironmentSpec) -> dict[str, Any]:
    """Arguments of every task of a service that is tried again as its spec says."""
    return {
        "spec": spec,
        "environment": environment,
        "owner": spec.owner,
        "retries": spec.schedule.retries,
        "retry_delay": retry_delay(environment),
    }


def retry_delay(environment: EnvironmentSpec) -> timedelta:
    """Between two tries of a task."""
    return timedelta(seconds=environment.airflow.retry_delay_seconds)
