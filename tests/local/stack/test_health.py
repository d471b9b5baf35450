"""Airflow's health, read with care."""

from __future__ import annotations

from local.stack.health import airflow_part_is_healthy, answers, heartbeat_is_of
from local.stack.ports import free_port

HEALTH = {
    "scheduler": {
        "status": "healthy",
        "latest_scheduler_heartbeat": "2026-03-01T02:00:10.500000+00:00",
    },
    "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
}
BEAT = 1772330410.5


def test_a_heartbeat_after_the_start_is_this_process() -> None:
    assert heartbeat_is_of(HEALTH, "scheduler", started=BEAT - 1)


def test_a_heartbeat_from_before_the_start_is_the_dead_process_before_it() -> None:
    assert not heartbeat_is_of(HEALTH, "scheduler", started=BEAT + 1)


def test_a_part_without_heartbeat_is_not_healthy() -> None:
    assert not heartbeat_is_of(HEALTH, "triggerer", started=0)
    assert not heartbeat_is_of(HEALTH, "dag_processor", started=0)


def test_an_unhealthy_part_is_not_healthy_however_young_its_heartbeat() -> None:
    sick = {"scheduler": {**HEALTH["scheduler"], "status": "unhealthy"}}
    assert not heartbeat_is_of(sick, "scheduler", started=BEAT - 1)


def test_a_server_that_is_not_there_is_not_healthy() -> None:
    nowhere = f"http://localhost:{free_port()}"
    assert not answers(f"{nowhere}/healthz")
    assert not airflow_part_is_healthy(nowhere, "scheduler", started=0)
