"""The publication ledger of one night: who may publish, what was begun, what stands.

One small JSON object for each service and score date, replaced only by compare-and-swap.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Literal, Self

from beam_jobs.runs.plan import Pinned


class Publisher(Pinned):
    """Who publishes what: one try of one DAG run, with one complete attempt of a run."""

    dag_id: str
    run_id: str
    try_number: int
    run_key: str
    manifest_uri: str

    def same_dag_run(self, other: Publisher) -> bool:
        return (self.dag_id, self.run_id) == (other.dag_id, other.run_id)

    def continues(self, other: Publisher) -> bool:
        """Whether both are tries at the same work, so that one finishes what the other began."""
        return self.same_dag_run(other) and self.manifest_uri == other.manifest_uri


class Night(Pinned):
    """What is published, as the run's manifest tells."""

    service: str
    score_date: date
    rows_scored: int
    rows_dead: int
    model_version: str


class Lease(Pinned):
    """Keeps others waiting while somebody publishes. Safety rests on job ids, not on clocks."""

    holder: Publisher
    expires_at: datetime


class Intent(Pinned):
    """What a publisher is about to load; written before any load starts."""

    publisher: Publisher
    night: Night
    sequence: int
    """How often the night was published, this time included; it only grows."""
    attempt: int
    """Grows when a load failed: a failed job id is burnt."""
    begun_at: datetime
    dead_letters_job: str
    predictions_job: str
    """The load that commits the publication."""

    @classmethod
    def begin(
        cls, publisher: Publisher, night: Night, sequence: int, now: datetime, attempt: int = 1
    ) -> Self:
        identity = _identity(publisher, sequence, attempt, now)
        prefix = f"nightstream-{night.service}-{night.score_date:%Y%m%d}"
        return cls(
            publisher=publisher,
            night=night,
            sequence=sequence,
            attempt=attempt,
            begun_at=now,
            dead_letters_job=f"{prefix}-dead-{identity}",
            predictions_job=f"{prefix}-predictions-{identity}",
        )

    def next_attempt(self) -> Self:
        """The same publication under new job ids."""
        return self.begin(
            self.publisher, self.night, self.sequence, self.begun_at, self.attempt + 1
        )


def _identity(publisher: Publisher, sequence: int, attempt: int, begun_at: datetime) -> str:
    """The same for every try of a publication; new with every sequence and attempt.

    `begun_at` keeps ids new even where somebody removed the ledger and sequences began again.
    """
    parts = (publisher.run_key, publisher.dag_id, publisher.run_id, sequence, attempt, begun_at)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


class Publication(Pinned):
    """What stands in the partition: the intent whose predictions were loaded last."""

    intent: Intent
    published_at: datetime

    @property
    def run_key(self) -> str:
        return self.intent.publisher.run_key


class Ledger(Pinned):
    """All that is known of one night's publication."""

    format: Literal[1] = 1
    lease: Lease | None = None
    intent: Intent | None = None
    """Begun and not known to have ended: its loads must be settled before anybody else's start."""
    published: Publication | None = None

    @property
    def last_sequence(self) -> int:
        """The highest sequence ever begun."""
        published = self.published.intent.sequence if self.published else 0
        return max(published, self.intent.sequence if self.intent else 0)

    def leased(self, holder: Publisher, expires_at: datetime) -> Self:
        return self.model_copy(update={"lease": Lease(holder=holder, expires_at=expires_at)})

    def intending(self, intent: Intent) -> Self:
        return self.model_copy(update={"intent": intent})

    def committed(self, now: datetime) -> Self:
        """The intent's predictions were loaded: it is what stands now. The lease ends with it."""
        if self.intent is None:
            raise ValueError("the ledger holds no intent that could have been committed")
        published = Publication(intent=self.intent, published_at=now)
        return self.model_copy(update={"lease": None, "intent": None, "published": published})
