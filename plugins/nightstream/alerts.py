"""Tells people what they should know, through the notifiers that the environment names."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from beam_jobs.spec import EnvironmentSpec, NotifierSpec, ServiceSpec

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alert:
    """One thing that a person should hear of."""

    title: str
    text: str
    service: str
    severity: Literal["warning", "error"]
    """`error` where a person has to do something."""


def send(alert: Alert, notifiers: Iterable[NotifierSpec], context: Mapping[str, Any]) -> None:
    """Calls each of the notifiers; one that fails is logged, and keeps no other from being called.

    context: the task's, which a notifier finds the alert in.
    """
    from nightstream.notifiers import made

    for declared in notifiers:
        try:
            made(declared)({**context, "alert": alert})
        except Exception:
            log.exception("%s could not be told: %s", declared.notifier, alert.text)


def deadline_alert(spec: ServiceSpec, environment: EnvironmentSpec) -> dict[str, Any]:
    """The DAG argument that raises an alert when a night takes too long.

    Counted from when the run was queued, so that a backfill of old nights is not late from the
    start. Empty on an Airflow without deadlines (before 3.3).
    """
    try:
        from airflow.sdk import (  # type: ignore[attr-defined]  # not in its stub
            DeadlineAlert,
            DeadlineReference,
            SyncCallback,
        )
    except ImportError:
        return {}
    minutes = spec.schedule.deadline_minutes
    notifiers = [notifier.model_dump(mode="json") for notifier in environment.airflow.alerts]
    callback = SyncCallback(
        night_is_late,
        kwargs={"service": spec.service, "minutes": minutes, "notifiers": notifiers},
    )
    alert = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=minutes),
        callback=callback,
    )
    return {"deadline": alert}


def night_is_late(
    service: str,
    minutes: float,
    notifiers: list[dict[str, Any]],
    context: dict[str, Any] | None = None,
) -> None:
    """Called by Airflow when a night's deadline has passed."""
    from beam_jobs.spec import NotifierSpec

    run = (context or {}).get("dag_run", {})
    run_id = run.get("dag_run_id") or run.get("run_id") or "unknown"
    text = (
        f"run {run_id} of {service} was not done {minutes:g} minutes after it was queued. Remedy: "
        f"see which of its tasks waits or fails in the grid of {service}_batch"
    )
    alert = Alert("NIGHT LATE", text, service, "error")
    send(alert, map(NotifierSpec.model_validate, notifiers), context or {})
