"""What is read of a running job, once a round, and what it comes to over a window.

Counters are attempted values and begin at zero with each job: only their growth within one job
means something. A reading that is missing is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from beam_jobs.runs.plan import Pinned
from nightstream.lifecycle.health import Health

T = TypeVar("T")


class Reading(Pinned):
    """One job at one moment; None is unknown."""

    at: datetime
    revision: str | None = None
    """The one that the job served."""
    requests: int | None = None
    """That the job has taken in since it began."""
    dead: int | None = None
    """Of these, those that became dead letters."""
    scored: int | None = None
    models_refused: int | None = None
    """Models that it was pointed to and could not load, since it began."""
    errors: int | None = None
    """Error messages of the job since it began."""
    backlog: int | None = None
    """Requests that wait on the job's subscription."""
    oldest_unacked_seconds: float | None = None
    watermark_age_seconds: float | None = None
    last_event_at: datetime | None = None
    """Time of the latest request that was scored."""


def first_reading(created_at: datetime, revision: str | None = None) -> Reading:
    """Of every job: its counters began at zero."""
    return Reading(
        at=created_at,
        revision=revision,
        requests=0,
        dead=0,
        scored=0,
        models_refused=0,
        errors=0,
    )


def kept(readings: Sequence[Reading], new: Reading, window: timedelta) -> tuple[Reading, ...]:
    """Those that are still needed: all within a window, and the last one before it. One that is not
    newer than the last adds nothing."""
    if readings and new.at <= readings[-1].at:
        return tuple(readings)
    readings = (*readings, new)
    before = [reading for reading in readings if reading.at <= new.at - window]
    return (*before[-1:], *(r for r in readings if r.at > new.at - window))


def health_over(
    readings: Sequence[Reading], window: timedelta, since: datetime, now: datetime
) -> Health | None:
    """The health of a job over the last window; None where it was not read this time.

    since: what happened earlier does not count, as it was another revision.
    """
    if not readings or readings[-1].at < now:
        return None
    begin = max(now - window, since)
    earlier = [reading for reading in readings if reading.at <= begin]
    base, last = (earlier or readings)[-1 if earlier else 0], readings[-1]
    before = [reading for reading in readings[:-1] if reading.at >= base.at]
    return Health(
        # A job that has yet to begin lets nothing wait.
        seconds=(last.at - max(base.at, since)).total_seconds(),
        running_seconds=(now - since).total_seconds(),
        requests=_growth(base.requests, last.requests),
        dead=_growth(base.dead, last.dead),
        rows_out=_growth(base.scored, last.scored),
        models_refused=_growth(base.models_refused, last.models_refused),
        errors=_growth(base.errors, last.errors),
        backlog=last.backlog,
        backlog_before=_first_known(reading.backlog for reading in before),
        oldest_unacked_seconds=last.oldest_unacked_seconds,
        lag_seconds=_lag(last),
        lag_before=_first_known(_lag(reading) for reading in before),
    )


def _lag(reading: Reading) -> float | None:
    if reading.watermark_age_seconds is not None or reading.last_event_at is None:
        return reading.watermark_age_seconds
    return (reading.at - reading.last_event_at).total_seconds()


def _first_known(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _growth(before: int | None, after: int | None) -> int | None:
    """None where it is unknown, also where a counter went back."""
    if before is None or after is None or after < before:
        return None
    return after - before
