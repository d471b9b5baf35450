"""The profiles of a worker process, counted and written by a thread of their own.

To count a micro-batch as it passes would cost a single request as much as its prediction. So the
data path only hands batches over; once a second those at hand are counted together.
"""

from __future__ import annotations

import logging
import threading
import uuid
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from google.cloud.bigquery import DatasetReference

from beam_jobs.inserts.client import InsertClient
from beam_jobs.inserts.patience import Clock
from beam_jobs.inserts.rows import InsertRow
from beam_jobs.inserts.table import SinkDownError, TableWriter, Written
from beam_jobs.runs.profiles import LiveProfile, live_profiles_table
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.profile_sums import ProfileSums, released_profiles

COUNT_SECONDS = 1.0
"""How long batches wait to be counted; so much of the traffic is kept in memory."""
FLUSH_SECONDS = 60.0
"""How long the counts of a row are summed."""
RETRY_SECONDS = 5.0
"""How long a write may take; then its counts are given up."""

log = logging.getLogger(__name__)


class _Writes(Protocol):
    def write(self, rows: list[InsertRow]) -> Written: ...


def _now() -> datetime:
    return datetime.now(UTC)


class LiveProfiles:
    """Takes batches, and writes what was counted of them; threads share one."""

    def __init__(
        self, sums: ProfileSums, table: _Writes, now: Callable[[], datetime] = _now
    ) -> None:
        self._sums = sums
        self._table = table
        self._now = now
        self._worker = uuid.uuid4().hex
        self._sequence = 0
        self._pending: list[ScoredRequests] = []
        self._handing_over = threading.Lock()
        self._counting = threading.Lock()
        self._since = now()

    @classmethod
    def of(cls, plan: StreamingPlan) -> LiveProfiles:
        """Those of a plan's job, with their thread, which ends when nobody has them any more."""
        dataset = DatasetReference(plan.tables.project, plan.tables.dataset)
        table = dataset.table(live_profiles_table(plan.service))
        writer = TableWriter(table, InsertClient(plan.project), RETRY_SECONDS, Clock())
        profiles = cls(ProfileSums(released_profiles(plan)), writer)
        ended = threading.Event()
        weakref.finalize(profiles, ended.set)
        arguments = (weakref.ref(profiles), ended)
        threading.Thread(target=_keep_counting, args=arguments, daemon=True).start()
        return profiles

    def add(self, batch: ScoredRequests) -> None:
        """Hands a batch over."""
        with self._handing_over:
            self._pending.append(batch)

    def turn(self) -> None:
        """Counts what was handed over, and writes it when it is time."""
        with self._counting:
            self._count()
            if self._now() - self._since >= timedelta(seconds=FLUSH_SECONDS):
                self._write()

    def flush(self) -> None:
        """Counts and writes all there is."""
        with self._counting:
            self._count()
            self._write()

    def _count(self) -> None:
        with self._handing_over:
            batches, self._pending = self._pending, []
        try:
            self._sums.add(batches)
        except Exception:
            log.exception("%d micro-batches are not counted for drift", len(batches))

    def _write(self) -> None:
        since, self._since = self._since, self._now()
        rows = []
        for counted in self._sums.taken():
            profile = LiveProfile(
                worker=self._worker,
                sequence=self._sequence,
                window_start=since,
                window_end=self._since,
                **counted,
            )
            self._sequence += 1
            rows.append(insert_row(profile))
        if rows:
            self._send(rows)

    def _send(self, rows: list[InsertRow]) -> None:
        """A row that may or may not stand is not sent again later: it might count twice."""
        try:
            errors = self._table.write(rows).errors
        except SinkDownError as error:
            log.warning("the counts of a minute are lost for drift: %s", error)
            return
        for refused in errors.values():
            log.warning("the counts of a minute are lost for drift: %s", refused)


def insert_row(profile: LiveProfile) -> InsertRow:
    """Histograms as JSON strings, the rest as it is."""
    row = profile.model_dump(mode="json", exclude={"features", "predictions"})
    for name in ("features", "predictions"):
        histograms = getattr(profile, name).items()
        parts = (f'"{column}":{seen.model_dump_json()}' for column, seen in histograms)
        row[name] = "{" + ",".join(parts) + "}"
    return {"insertId": f"{profile.worker}/{profile.sequence}", "json": row}


def _keep_counting(profiles: weakref.ref[LiveProfiles], ended: threading.Event) -> None:
    while not ended.wait(COUNT_SECONDS):
        alive = profiles()
        if alive is None:
            return
        try:
            alive.turn()
        except Exception:
            log.exception("requests are not counted for drift")
        del alive
