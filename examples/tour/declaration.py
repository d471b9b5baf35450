"""The tour's own DAGs folder: the example service, with windows of seconds for those of minutes,
and a service beside it whose model is asked at an endpoint."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from local.stack import StackSettings

LIFECYCLE: dict[str, Any] = {
    "state": "running",
    "upgrade": {"strategy": "update", "model": "update"},
    "health": {"window_seconds": 10, "stabilisation_seconds": 15, "most_dead_share": 0.05},
}
"""What the tour declares under `streaming.lifecycle`."""
_RECONCILE_S = 5

ENDPOINT_SERVICE = "babyweight_endpoint"
ENDPOINT = "babyweight"
_BY_ENDPOINT: dict[str, Any] = {"kind": "vertex_endpoint", "endpoint": {"name": ENDPOINT}}
_GRACE_MINUTES = 0.1


def declare(settings: StackSettings) -> StackSettings:
    """Writes the folder below the stack's home; the settings of a stack that reads it."""
    dags = settings.home / "dags"
    shutil.copytree(settings.dags, dags, ignore=shutil.ignore_patterns("__pycache__"))
    service = dags / "services" / "babyweight.yaml"
    declared = yaml.safe_load(service.read_text())
    declared["streaming"]["lifecycle"] = LIFECYCLE
    _write(service, declared)
    _write(service.with_name(f"{ENDPOINT_SERVICE}.yaml"), _by_endpoint(declared))
    environment = dags / "environments" / "local.yaml"
    declared = yaml.safe_load(environment.read_text())
    declared["airflow"]["reconcile_seconds"] = _RECONCILE_S
    _write(environment, declared)
    return replace(settings, dags=dags)


def lifecycle_lines() -> list[str]:
    """What is declared, as the service's file has it."""
    text: str = yaml.safe_dump({"lifecycle": LIFECYCLE}, sort_keys=False, default_flow_style=None)
    return text.splitlines()


def _by_endpoint(declared: dict[str, Any]) -> dict[str, Any]:
    """The same nights and models, but no streaming job, and an endpoint that is asked."""
    release = {**declared["model"]["release"], "grace_minutes": _GRACE_MINUTES}
    model = {**declared["model"], **_BY_ENDPOINT, "release": release}
    nightly = {key: value for key, value in declared.items() if key != "streaming"}
    return {**nightly, "service": ENDPOINT_SERVICE, "model": model}


def _write(file: Path, declared: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(declared, sort_keys=False))
