"""Looks at everything that speaks of a service's nights and requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from beam_jobs.objects import ObjectInfo, Objects
from beam_jobs.runs.layout import RunLayout, runs_root
from beam_jobs.runs.plan import InputObject
from beam_jobs.runs.streaming import streaming_root
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.inputs.completeness import ManifestError, night_files
from nightstream.inputs.folder import night_folder, see
from nightstream.nights import scheduled_interval
from nightstream.publishing.ledger import Ledger
from nightstream.publishing.ledgers import LedgerFile, ledger_uri
from nightstream.reconciling.books import Counted, DayBooks, NightBooks, Recorded, Revision
from nightstream.reconciling.counting import Tables
from nightstream.reconciling.report import Reconciliation

_Model = TypeVar("_Model", bound=BaseModel)

_READERS = 8
_LONGEST_CHAIN = 1_000


class _Manifest(BaseModel):
    """What is read of a manifest, which another release may have written."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    run_key: str
    rows_in: int
    rows_scored: int
    rows_dead: int

    @property
    def counted(self) -> Counted:
        return Counted(self.rows_in, self.rows_scored, self.rows_dead)


class _Plan(BaseModel):
    """What is read of a plan, likewise."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    class _Replay(BaseModel):
        model_config = ConfigDict(extra="ignore", frozen=True)
        manifest_uri: str

    inputs: tuple[InputObject, ...]
    replay: _Replay | None = None


@dataclass(frozen=True)
class _Standing:
    """What a ledger leads to."""

    counted: Counted | None = None
    chain: tuple[tuple[str, Counted], ...] = ()
    """Runs by key, the one that stands first, then what each revises."""
    inputs: tuple[InputObject, ...] | None = None


@dataclass(frozen=True)
class Looker:
    """One look at one service."""

    spec: ServiceSpec
    environment: EnvironmentSpec
    objects: Objects
    tables: Tables
    now: datetime

    def look(self, first: date, last: date) -> Reconciliation:
        """The books of the nights and days from `first` to `last`, both included."""
        days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
        predictions, dead = self.tables.predictions(first, last), self.tables.dead(first, last)
        recorded, repaired = self.tables.recorded(first, last), self.tables.repaired(first, last)

        def books(night: date) -> NightBooks | None:
            rows = predictions.get(night, {}), dead.get(night, {})
            return self._night(night, rows, recorded.get(night, ()), repaired)

        with ThreadPoolExecutor(_READERS) as readers:
            nights = tuple(found for found in readers.map(books, days) if found)
        live = self._days(first, last) if self.spec.streaming else ()
        return Reconciliation(self.spec.service, nights, tuple(live))

    def _night(
        self,
        night: date,
        rows: tuple[Mapping[str, int], Mapping[str, int]],
        recorded: Iterable[Recorded],
        repaired: Mapping[str, int],
    ) -> NightBooks | None:
        """None where nothing speaks of the night."""
        work, service = self.environment.buckets.work, self.spec.service
        ledger = LedgerFile(self.objects, ledger_uri(work, service, night)).read()[0]
        due, files = self._is_due(night), self._files(night)
        if not (due or any(rows) or ledger != Ledger()):
            return None
        standing = self._standing(ledger)
        unread, changed = _compared(files, standing.inputs)
        return NightBooks(
            night=night,
            due=due,
            ledger=ledger,
            counted=standing.counted,
            revisions=tuple(_revisions(standing.chain, repaired)),
            run_keys=frozenset(run_key for run_key, _ in standing.chain),
            unread=unread,
            changed=changed,
            predictions=rows[0],
            dead_letters=rows[1],
            recorded=tuple(recorded),
            expired=frozenset(self._expired(night)),
        )

    def _is_due(self, night: date) -> bool:
        interval = scheduled_interval(self.spec.schedule, night)
        started = night >= self.spec.schedule.start
        return started and interval is not None and interval.end <= self.now

    def _files(self, night: date) -> tuple[ObjectInfo, ...]:
        uri = night_folder(self.spec, self.environment, night)
        try:
            return night_files(self.spec.input, see(uri, self.spec.input, self.objects))
        except ManifestError:
            return ()

    def _standing(self, ledger: Ledger) -> _Standing:
        if ledger.published is None:
            return _Standing()
        root = runs_root(self.environment.buckets.work, self.spec.service)
        plan = self._read(_Plan, RunLayout(root, ledger.published.run_key).plan)
        chain = tuple(self._chain(root, ledger.published.intent.publisher.manifest_uri))
        counted = chain[0][1] if chain else None
        return _Standing(counted, chain, plan.inputs if plan else None)

    def _chain(self, root: str, manifest_uri: str | None) -> Iterator[tuple[str, Counted]]:
        for _ in range(_LONGEST_CHAIN):
            manifest = self._read(_Manifest, manifest_uri) if manifest_uri else None
            if manifest is None:
                return
            yield manifest.run_key, manifest.counted
            plan = self._read(_Plan, RunLayout(root, manifest.run_key).plan)
            manifest_uri = plan.replay.manifest_uri if plan and plan.replay else None

    def _read(self, model: type[_Model], uri: str) -> _Model | None:
        try:
            return model.model_validate_json(self.objects.read(uri))
        except FileNotFoundError:
            return None

    def _expired(self, night: date) -> Iterator[str]:
        retention, age = self.environment.retention, (self.now.date() - night).days
        for what, days in (
            ("predictions", retention.predictions_days),
            ("dead letters", retention.dead_letters_days),
        ):
            if days is not None and age >= days:
                yield what

    def _days(self, first: date, last: date) -> Iterator[DayBooks]:
        set_aside = self._set_aside()
        for books in self.tables.days(first, last):
            yield replace(books, set_aside=set_aside.get(books.day, ()))

    def _set_aside(self) -> dict[date, tuple[str, ...]]:
        """Letters that their table refused, by the day on which they were kept."""
        root = streaming_root(self.environment.buckets.work, self.spec.service)
        found: dict[date, tuple[str, ...]] = {}
        for item in self.objects.list(f"{root}/letters/"):
            day = item.updated.date()
            found[day] = (*found.get(day, ()), item.uri)
        return found


def _compared(
    files: Iterable[ObjectInfo], inputs: tuple[InputObject, ...] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files of the folder that were not read, and those that were read as something else.

    A night that read another folder altogether says nothing of its own.
    """
    there = {file.uri: file.generation for file in files}
    read = {item.uri: item.generation for item in inputs or ()}
    if read and read.keys().isdisjoint(there):
        return (), ()
    unread = tuple(uri for uri in there if uri not in read)
    return unread, tuple(u for u, known in read.items() if there.get(u, known) != known)


def _revisions(
    chain: tuple[tuple[str, Counted], ...], repaired: Mapping[str, int]
) -> Iterator[Revision]:
    for (run_key, after), (_, before) in pairwise(chain):
        yield Revision(run_key, before, after, repaired.get(run_key, 0))
