"""Says so when a night is late."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from beam_jobs.spec import ServiceSpec

log = logging.getLogger(__name__)


def deadline_alert(spec: ServiceSpec) -> dict[str, Any]:
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
    callback = SyncCallback(
        night_is_late,
        kwargs={"service": spec.service, "minutes": spec.schedule.deadline_minutes},
    )
    alert = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=spec.schedule.deadline_minutes),
        callback=callback,
    )
    return {"deadline": alert}


def night_is_late(service: str, minutes: float, context: dict[str, Any] | None = None) -> None:
    """Logs one error line that a log-based alert can be set on."""
    run = (context or {}).get("dag_run", {})
    run_id = run.get("dag_run_id") or run.get("run_id") or "unknown"
    log.error(
        "NIGHT LATE: run %s of %s was not done %g minutes after it was queued. "
        "Remedy: see which of its tasks waits or fails in the grid of %s_batch",
        run_id,
        service,
        minutes,
        service,
    )
