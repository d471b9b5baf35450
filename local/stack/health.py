"""Whether the servers of the stack serve."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local.stack.http import get_json, get_text


def answers(url: str) -> bool:
    return get_json(url) is not None


def says_ok(url: str) -> bool:
    """What Google's emulators answer once they serve."""
    return get_text(url) == "Ok"


def airflow_part_is_healthy(airflow_url: str, part: str, started: float) -> bool:
    """Whether a scheduler, triggerer or dag_processor that was started then has a heartbeat."""
    health = get_json(f"{airflow_url}/api/v2/monitor/health")
    return health is not None and heartbeat_is_of(health, part, started)


def heartbeat_is_of(health: dict[str, Any], part: str, started: float) -> bool:
    """For half a minute after a kill Airflow calls the dead process healthy: a heartbeat counts
    only when it is younger than the process."""
    state = health.get(part) or {}
    beat = state.get(f"latest_{part}_heartbeat")
    if state.get("status") != "healthy" or not beat:
        return False
    return datetime.fromisoformat(beat).timestamp() > started
