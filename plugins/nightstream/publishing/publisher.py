"""Publishes one night: takes the lease, settles who came before, loads, and says so.

Whatever a publisher does can be cut off after any step, and a stalled one may wake up at any time
later. Two things keep that harmless: the ledger changes by compare-and-swap alone, and a load can
only ever start under an id that the ledger named before and that nobody has used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nightstream.publishing.decision import Acquire, Resume, Skip, TakeOver, Wait, decide
from nightstream.publishing.ledger import Intent, Ledger, Night, Publication, Publisher
from nightstream.publishing.ledgers import LedgerChangedError, LedgerFile
from nightstream.publishing.loads import Load, Loads, LoadState, LoadStatus
from nightstream.publishing.preparation import Cargo

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)


class NightHeldError(Exception):
    """Somebody else is publishing the night; try again at `until` at the latest."""

    def __init__(self, wait: Wait) -> None:
        self.until = wait.until
        holder = wait.holder
        super().__init__(
            f"{holder.dag_id} run {holder.run_id} (run key {holder.run_key}) is publishing this "
            f"night and holds its lease until {wait.until.isoformat()}"
        )


class LoadFailedError(Exception):
    """A load failed or did not load what the manifest says; its id is never used again."""


class NightMovedOnError(Exception):
    """The night was published anew since the revision of an earlier publication was planned."""

    def __init__(self, night: Night, standing: Publication | None) -> None:
        what = f"run {standing.run_key} stands" if standing else "nothing stands"
        super().__init__(
            f"night {night.score_date} of {night.service} is not revised: {what} there now, not "
            "what the revision was made of. Remedy: replay again, with what stands now"
        )


class _OvertakenError(Exception):
    """A successor settled this publication; the ledger tells what is to be done now."""


@dataclass(frozen=True)
class Published:
    """The publication that stands."""

    publication: Publication
    skipped: bool
    """True when another DAG run had published this very work before."""


class NightPublisher:
    """One publisher of one night."""

    def __init__(
        self,
        file: LedgerFile,
        loads: Loads,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        lease: timedelta = LEASE,
        poll_seconds: float = 1.0,
    ) -> None:
        self._file = file
        self._loads = loads
        self._now = now
        self._sleep = sleep
        self._lease = lease
        self._poll_seconds = poll_seconds
        self._ledger, self._generation = Ledger(), 0

    def publish(self, me: Publisher, cargo: Cargo, force: bool = False) -> Published:
        """Makes the night's partitions hold exactly this run's rows.

        Raises NightHeldError while somebody else publishes it, LoadFailedError when a load fails,
        NightMovedOnError where a revision is of what stands no longer.
        """
        night = cargo.night
        while True:
            self._ledger, self._generation = self._file.read()
            decision = decide(self._ledger, me, self._now(), force)
            log.info("decided: %s", decision)
            try:
                match decision:
                    case Skip(published):
                        return Published(published, not me.continues(published.intent.publisher))
                    case Wait():
                        raise NightHeldError(decision)
                    case TakeOver(predecessor) if self._settle(me, predecessor):
                        continue
                    case Acquire() | TakeOver():
                        self._require_revised(cargo)
                        sequence = self._ledger.last_sequence + 1
                        intent = Intent.begin(me, night, sequence, self._now())
                    case Resume(begun):
                        intent = begun.next_attempt() if self._has_failed(begun) else begun
                self._write(self._leased(me).intending(intent))
                self._load(me, intent.dead_letters_job, cargo.dead_letters, night.rows_dead)
                self._load(me, intent.predictions_job, cargo.predictions, night.rows_scored)
                return Published(self._commit(intent), skipped=False)
            except (LedgerChangedError, _OvertakenError) as overtaken:
                log.info("%s; looking at the ledger again", overtaken)

    def _require_revised(self, cargo: Cargo) -> None:
        standing = self._ledger.published
        if cargo.revises is None:
            return
        if standing is None or standing.intent.publisher.manifest_uri != cargo.revises:
            raise NightMovedOnError(cargo.night, standing)

    def _settle(self, me: Publisher, predecessor: Intent) -> bool:
        """Ends what a predecessor began; True when it had committed, and is recorded now.

        Otherwise its intent stays in the ledger until the successor's own takes its place: its
        dead letters may have been loaded, so nobody may take the partitions for untouched.
        """
        self._write(self._leased(me))
        self._stop(me, predecessor.dead_letters_job)
        committed = self._stop(me, predecessor.predictions_job)
        if not _is_good(committed, predecessor.night.rows_scored):
            return False
        self._write(self._ledger.committed(self._now()))
        return True

    def _stop(self, me: Publisher, job_id: str) -> LoadStatus:
        """Waits until a load can change nothing any more, and tells how it ended."""
        status = self._loads.look(job_id)
        if status.state is LoadState.ABSENT:
            self._loads.burn(job_id)
            status = self._loads.look(job_id)
        if status.state is LoadState.RUNNING:
            self._loads.cancel(job_id)
            status = self._finished(me, job_id, status)
        log.info("predecessor's load %s: %s", job_id, status)
        return status

    def _has_failed(self, begun: Intent) -> bool:
        """Whether a load of this intent ended in a way that its id can never make good."""
        night = begun.night
        loads = (
            (self._loads.look(begun.dead_letters_job), night.rows_dead),
            (self._loads.look(begun.predictions_job), night.rows_scored),
        )
        under_way = (LoadState.ABSENT, LoadState.RUNNING)
        return any(s.state not in under_way and not _is_good(s, rows) for s, rows in loads)

    def _load(self, me: Publisher, job_id: str, load: Load, rows: int) -> None:
        """Starts or finds one load and waits for it; the lease is ours when it starts."""
        self._write(self._leased(me))
        status = self._finished(me, job_id, self._loads.start(job_id, load))
        if status.state is LoadState.BURNT:
            raise _OvertakenError(f"load {job_id} was made impossible by a successor")
        if not _is_good(status, rows):
            why = status.error or f"{status.rows} rows were loaded, the manifest says {rows}"
            raise LoadFailedError(f"load {job_id} into {load.table} failed: {why}")
        log.info("load %s: %d rows into %s", job_id, rows, load.table.partition(load.score_date))

    def _finished(self, me: Publisher, job_id: str, status: LoadStatus) -> LoadStatus:
        """What a started job has come to, once it runs no more. Renews the lease meanwhile."""
        while status.state is LoadState.RUNNING:
            self._sleep(self._poll_seconds)
            lease = self._ledger.lease
            if lease is None or lease.expires_at - self._now() < self._lease / 2:
                self._write(self._leased(me))
            status = self._loads.look(job_id)
        return status

    def _commit(self, intent: Intent) -> Publication:
        """Records the publication, unless a successor who settled it has done so already."""
        while True:
            now = self._now()
            try:
                self._write(self._ledger.committed(now))
            except LedgerChangedError:
                self._ledger, self._generation = self._file.read()
                if self._ledger.intent == intent:
                    continue
            return Publication(intent=intent, published_at=now)

    def _leased(self, me: Publisher) -> Ledger:
        return self._ledger.leased(me, self._now() + self._lease)

    def _write(self, ledger: Ledger) -> None:
        self._generation = self._file.swap(ledger, self._generation)
        self._ledger = ledger


def _is_good(status: LoadStatus, rows: int) -> bool:
    return status.state is LoadState.DONE and status.rows == rows
