"""What is remembered of a look at live drift. Pure."""

from __future__ import annotations

import json

from nightstream.drift.live import LiveDrift
from nightstream.recording.row import Row


def live_drift_row(drift: LiveDrift, dag_id: str, run_id: str, uri: str) -> Row:
    """The row of one DAG run."""
    worst = drift.worst
    return {
        "window_start": drift.window_start,
        "window_end": drift.window_end,
        "service": drift.service,
        "dag_id": dag_id,
        "run_id": run_id,
        "model_version": drift.model_version,
        "scored": drift.rows,
        "drift_verdict": drift.verdict.value,
        "drift_psi": worst.value if worst else None,
        "drift_column": worst.column if worst else None,
        "drift": json.dumps(drift.by_column(), sort_keys=True),
        "drift_uri": uri,
    }
