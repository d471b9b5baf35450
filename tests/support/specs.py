"""Small declared services and environments."""

from __future__ import annotations

from typing import Any

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from tests.support.local_cloud import PROJECT, WORKER_IMAGE


def a_service(name: str = "weights", **parts: Any) -> ServiceSpec:
    """A service with one feature; `parts` replace or add keys, section by section."""
    declared: dict[str, Any] = {
        "service": name,
        "input": {
            "path": f"{name}/{{score_date}}/",
            "files": "*.csv",
            "format": {"type": "csv"},
            "key": "id",
            "fields": [
                {"name": "id", "type": "string", "passthrough": True},
                {"name": "weeks", "type": "float"},
            ],
        },
        "model": {"outputs": [{"name": "weight", "type": "float"}]},
        "schedule": {"cron": "0 2 * * *", "timezone": "America/New_York", "start": "2026-01-01"},
    }
    for section, keys in parts.items():
        declared[section] = {**declared.get(section, {}), **keys}
    return ServiceSpec.model_validate(declared)


def an_environment(endpoint: str | None = None, **parts: Any) -> EnvironmentSpec:
    """An environment whose Google APIs are at an endpoint; `parts` as in `a_service`."""
    declared: dict[str, Any] = {
        "project": PROJECT,
        "buckets": {"input": "input", "work": "scoring-work", "models": "models"},
        "bigquery": {"dataset": "nightstream", "location": "US"},
        "dataflow": {"region": "us-central1", "endpoint": endpoint, "worker_image": WORKER_IMAGE},
        "monitoring": {"endpoint": endpoint},
        "vertex": {"endpoint": endpoint},
        "airflow": {"poll_seconds": 0.05, "retry_delay_seconds": 0},
    }
    for section, keys in parts.items():
        declared[section] = {**declared.get(section, {}), **keys}
    return EnvironmentSpec.model_validate(declared)
