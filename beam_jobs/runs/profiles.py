"""What a streaming worker counted of some of the requests that it scored."""

from __future__ import annotations

from datetime import datetime

from beam_jobs.runs.manifest import Histogram
from beam_jobs.runs.plan import Pinned


def live_profiles_table(service: str) -> str:
    """Name of the table of what a service's streaming workers counted."""
    return f"{service}_profiles_live"


class LiveProfile(Pinned):
    """The requests that one worker process scored with one model within about a minute.

    Statistics, not books: what a killed worker had not written yet is missing, and requests that
    came twice count twice.
    """

    worker: str
    """A process; random."""
    sequence: int
    """Counts the process's profiles, from 0: with `worker` it names the row."""
    window_start: datetime
    window_end: datetime
    """UTC, by the worker's clock."""
    model_version: str
    revision: str
    """Identity of the streaming job."""
    scored: int
    """Requests."""
    features: dict[str, Histogram]
    predictions: dict[str, Histogram]
