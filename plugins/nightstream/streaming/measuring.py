"""How one running job does by now. What cannot be read is unknown, and fails nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from google.auth.exceptions import GoogleAuthError
from googleapiclient.errors import HttpError
from httplib2.error import HttpLib2Error

from nightstream.lifecycle.readings import Reading, first_reading
from nightstream.lifecycle.snapshot import SeenJob

if TYPE_CHECKING:
    from nightstream.hooks.dataflow import DataflowHook
    from nightstream.hooks.monitoring import MonitoringHook

T = TypeVar("T")

log = logging.getLogger(__name__)

_WATERMARK_AGE = "dataflow.googleapis.com/job/data_watermark_age"
_BACKLOG = "pubsub.googleapis.com/subscription/num_undelivered_messages"
_OLDEST_UNACKED = "pubsub.googleapis.com/subscription/oldest_unacked_message_age"
UNREADABLE = (HttpError, OSError, HttpLib2Error, GoogleAuthError)
"""An API that refuses, fails, or does not answer in time."""


@dataclass(frozen=True)
class Gauges:
    """What measures jobs: Dataflow counts, Cloud Monitoring times."""

    dataflow: DataflowHook
    monitoring: MonitoringHook

    def read(
        self, job: SeenJob, subscription: str | None, earlier: Sequence[Reading], now: datetime
    ) -> Reading:
        """One reading of a job.

        subscription: full name of what it reads, if that is known. earlier: of this job.
        """
        counters = _or_none(f"the counters of {job}", lambda: self.dataflow.counters(job.id))
        backlog, oldest = self._waiting(subscription, now)
        return Reading(
            at=now,
            revision=job.revision,
            # Beam tells no counter before it has counted: one that is missing from an answer is 0.
            requests=counters["requests"] if counters is not None else None,
            dead=counters["dead"] if counters is not None else None,
            scored=counters["scored"] if counters is not None else None,
            models_refused=counters["models_refused"] if counters is not None else None,
            errors=self._errors(job, earlier, now),
            backlog=int(backlog) if backlog is not None else None,
            oldest_unacked_seconds=oldest,
            watermark_age_seconds=self._watermark_age(job, oldest, now),
            last_event_at=_moment(counters["last_event_time_ms"]) if counters else None,
        )

    def _errors(self, job: SeenJob, earlier: Sequence[Reading], now: datetime) -> int | None:
        """All since the job began: those of the last reading that knew, and those since."""
        known = [reading for reading in earlier if reading.errors is not None]
        last = known[-1] if known else first_reading(job.created_at)
        new = _or_none(
            f"the messages of {job}",
            lambda: self.dataflow.count_errors(job.id, last.at, now),
        )
        return None if new is None or last.errors is None else last.errors + new

    def _waiting(
        self, subscription: str | None, now: datetime
    ) -> tuple[float | None, float | None]:
        """How many requests wait, and how long the oldest of them has, in seconds."""
        if subscription is None:
            return None, None
        labels = {"resource.labels.subscription_id": subscription.rpartition("/")[2]}
        backlog = self._newest(_BACKLOG, labels, now)
        return backlog, self._newest(_OLDEST_UNACKED, labels, now)

    def _watermark_age(self, job: SeenJob, oldest: float | None, now: datetime) -> float | None:
        """At least the age of what waits: the job's own watermark may know nothing of that."""
        labels = {"resource.labels.job_name": job.job.name, "metric.labels.job_id": job.id}
        age = self._newest(_WATERMARK_AGE, labels, now)
        return None if age is None else max(age, oldest or 0.0)

    def _newest(self, metric: str, labels: dict[str, str], now: datetime) -> float | None:
        return _or_none(metric, lambda: self.monitoring.newest(metric, labels, now))


def _or_none(what: str, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except UNREADABLE as error:
        log.warning("%s could not be read, and count as unknown: %s", what, error)
        return None


def _moment(milliseconds: int) -> datetime | None:
    """None for 0: nothing has happened yet."""
    return datetime.fromtimestamp(milliseconds / 1_000, UTC) if milliseconds else None
