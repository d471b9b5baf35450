"""The tour's own DAGs folder: the example service, with windows of seconds for those of minutes."""

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


def declare(settings: StackSettings) -> StackSettings:
    """Writes the folder below the stack's home; the settings of a stack that reads it."""
    dags = settings.home / "dags"
    shutil.copytree(settings.dags, dags, ignore=shutil.ignore_patterns("__pycache__"))
    service = dags / "services" / "babyweight.yaml"
    declared = yaml.safe_load(service.read_text())
    declared["streaming"]["lifecycle"] = LIFECYCLE
    _write(service, declared)
    environment = dags / "environments" / "local.yaml"
    declared = yaml.safe_load(environment.read_text())
    declared["airflow"]["reconcile_seconds"] = _RECONCILE_S
    _write(environment, declared)
    return replace(settings, dags=dags)


def lifecycle_lines() -> list[str]:
    """What is declared, as the service's file has it."""
    text: str = yaml.safe_dump({"lifecycle": LIFECYCLE}, sort_keys=False, default_flow_style=None)
    return text.splitlines()


def _write(file: Path, declared: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(declared, sort_keys=False))
