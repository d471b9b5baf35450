"""A world of publishers that can be stopped between any two of their steps.

Each publisher runs the real code in a greenlet and hands control back before every call to the
outside. Time, the ends of load jobs and the order of everything are the test's to choose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import greenlet

from beam_jobs.objects import ObjectChangedError, ObjectInfo, PreconditionError
from nightstream.publishing.ledger import Ledger, Night, Publisher
from nightstream.publishing.ledgers import LedgerFile
from nightstream.publishing.loads import Load, LoadState, LoadStatus
from nightstream.publishing.preparation import Cargo
from nightstream.publishing.publisher import (
    LoadFailedError,
    NightHeldError,
    NightPublisher,
    Published,
)
from nightstream.tables import TableId, TableSchema

URI = "gs://scoring-work/demo/published/2026-01-05.json"
NIGHT = date(2026, 1, 5)
PARTS = ("dead", "predictions")


@dataclass(frozen=True)
class Work:
    """One run's output, and how many rows it has."""

    run_key: str
    rows_scored: int
    rows_dead: int

    @property
    def manifest(self) -> str:
        return f"gs://scoring-work/demo/runs/{self.run_key}/1/manifest.json"

    def cargo(self) -> Cargo:
        return Cargo(self._night(), self._load("dead"), self._load("predictions"))

    def _night(self) -> Night:
        return Night(
            service="demo",
            score_date=NIGHT,
            rows_scored=self.rows_scored,
            rows_dead=self.rows_dead,
            model_version="1",
        )

    def _load(self, part: str) -> Load:
        table = TableId("project", "dataset", part)
        schema = TableSchema((), partitioned_by="score_date")
        return Load(table, NIGHT, schema, (f"{self.run_key}/{part}.parquet",))

    def rows(self, part: str) -> int:
        return self.rows_dead if part == "dead" else self.rows_scored


@dataclass
class Job:
    """A job of the imitated service."""

    kind: str
    load: Load | None = None
    state: LoadState = LoadState.RUNNING
    rows: int = 0
    cancelled: bool = False


@dataclass
class Actor:
    """One try of one DAG run's publish task."""

    me: Publisher
    work: Work
    thread: greenlet.greenlet | None = None
    result: Published | None = None
    error: Exception | None = None

    @property
    def alive(self) -> bool:
        return self.thread is not None and not self.thread.dead


class Killed(greenlet.GreenletExit):
    """The process is gone."""


@dataclass
class World:
    now: datetime = datetime(2026, 1, 6, 2, tzinfo=UTC)
    stored: tuple[bytes, int] | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    partitions: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What each partition holds: whose file, and how many rows."""
    commits: list[str] = field(default_factory=list)
    """Files of committed loads, in order."""
    works: dict[str, Work] = field(default_factory=dict)

    # What a test does.

    def spawn(self, dag_run: str, try_number: int, work: Work, force: bool = False) -> Actor:
        """A publisher that has not taken its first step yet."""
        self.works[work.run_key] = work
        me = Publisher(
            dag_id="demo_batch",
            run_id=dag_run,
            try_number=try_number,
            run_key=work.run_key,
            manifest_uri=work.manifest,
        )
        actor = Actor(me, work)

        def run() -> None:
            publisher = NightPublisher(
                LedgerFile(_Objects(self), URI), _Loads(self), lambda: self.now, lambda _: _gate()
            )
            try:
                actor.result = publisher.publish(me, work.cargo(), force)
            except (NightHeldError, LoadFailedError) as error:
                actor.error = error

        actor.thread = greenlet.greenlet(run)
        return actor

    def step(self, actor: Actor) -> None:
        """Lets a publisher make one call to the outside."""
        assert actor.thread is not None
        actor.thread.switch()

    def kill(self, actor: Actor) -> None:
        assert actor.thread is not None
        actor.thread.throw(Killed)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def running(self) -> list[str]:
        return [name for name, job in self.jobs.items() if job.state is LoadState.RUNNING]

    def end_job(self, job_id: str, how: str = "ok") -> None:
        """Ends a running load: ok, failed, or short (it commits one row too few)."""
        job = self.jobs[job_id]
        assert job.load is not None
        if how == "failed":
            job.state = LoadState.FAILED
            return
        run_key, part = job.load.uris[0].removesuffix(".parquet").split("/")
        job.rows = self.works[run_key].rows(part) - (1 if how == "short" else 0)
        job.state = LoadState.DONE
        self.partitions[part] = (run_key, job.rows)
        self.commits.append(job.load.uris[0])
        if part == "predictions":
            assert self.partitions["dead"][0] == run_key, "loads of two runs interleaved"

    def finish(self, actor: Actor) -> Actor:
        """Runs a publisher to its end; every load succeeds, unless it was cancelled."""
        while actor.alive:
            self.step(actor)
            for name in self.running():
                self.end_job(name, "failed" if self.jobs[name].cancelled else "ok")
        return actor

    # What a test looks at.

    @property
    def ledger(self) -> Ledger:
        return Ledger.model_validate_json(self.stored[0]) if self.stored else Ledger()

    def holds_exactly(self, work: Work) -> bool:
        return self.partitions == {p: (work.run_key, work.rows(p)) for p in PARTS}


def _gate() -> None:
    parent = greenlet.getcurrent().parent
    assert parent is not None
    parent.switch()


class _Objects:
    """The ledger's object, with generations and preconditions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def stat(self, uri: str) -> ObjectInfo | None:
        _gate()
        stored = self._world.stored
        return ObjectInfo(uri, stored[1], len(stored[0]), self._world.now) if stored else None

    def read(self, uri: str, generation: int | None = None) -> bytes:
        _gate()
        stored = self._world.stored
        assert stored is not None
        if stored[1] != generation:
            raise ObjectChangedError(uri, generation or 0)
        return stored[0]

    def replace(self, uri: str, data: bytes, generation: int) -> int:
        _gate()
        current = self._world.stored[1] if self._world.stored else 0
        if current != generation:
            raise PreconditionError(uri)
        self._world.stored = (data, current + 1)
        return current + 1


class _Loads:
    """Job ids are once only."""

    def __init__(self, world: World) -> None:
        self._world = world

    def look(self, job_id: str) -> LoadStatus:
        _gate()
        return self._status(job_id)

    def start(self, job_id: str, load: Load) -> LoadStatus:
        _gate()
        if job_id not in self._world.jobs:
            assert not self._world.running(), "two loads of one night at once"
            self._world.jobs[job_id] = Job("load", load)
        return self._status(job_id)

    def cancel(self, job_id: str) -> None:
        _gate()
        self._world.jobs[job_id].cancelled = True

    def burn(self, job_id: str) -> None:
        _gate()
        self._world.jobs.setdefault(job_id, Job("query", state=LoadState.DONE))

    def _status(self, job_id: str) -> LoadStatus:
        job = self._world.jobs.get(job_id)
        if job is None:
            return LoadStatus(LoadState.ABSENT)
        if job.kind == "query":
            return LoadStatus(LoadState.BURNT)
        return LoadStatus(job.state, rows=job.rows)
