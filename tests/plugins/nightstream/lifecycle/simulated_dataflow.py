"""A simulated Dataflow with an Airflow that may crash between any two calls: only time and chance
are not real."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.jobs.job import Job
from nightstream.lifecycle.actions import (
    Action,
    Cancel,
    Close,
    Drain,
    Launch,
    Open,
    Refresh,
    Seek,
    Tune,
    Update,
)
from nightstream.lifecycle.case import Timing
from nightstream.lifecycle.decision import Decision, decide
from nightstream.lifecycle.ledger import Ledger, OpenSlot
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Place, Revision, Workers
from nightstream.lifecycle.snapshot import SeenJob, Snapshot
from nightstream.streaming.naming import Slot, live_job_name

SERVICE = "weights"
ENDED = ("FAILED", "CANCELLED", "DRAINED", "UPDATED")
TIMING = Timing(timedelta(minutes=10), timedelta(minutes=30), timedelta(days=7))


@dataclass
class SimJob:
    """A job as it truly is."""

    id: str
    slot: Slot
    revision: str
    workers: Workers
    created_at: datetime
    state: str = "PENDING"
    replaces: str | None = None
    launched_as: str = ""
    requests: int = 0
    dead: int = 0
    since: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    @property
    def active(self) -> bool:
        return self.state not in ENDED


class Crash(Exception):
    """Airflow is killed."""


@dataclass
class Faults:
    """What is wrong with the world at the moment."""

    list_delay: timedelta = timedelta(0)
    """A new job is missing from lists for so long."""
    drains_hang: bool = False
    updates_refused: bool = False
    launches_fail: bool = False
    readings_missing: bool = False


class World:
    """Dataflow, the ledger's object, the spec, and the clock."""

    def __init__(self, spec: LifecycleSpec) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.spec = spec
        self.jobs: list[SimJob] = []
        self.faults = Faults()
        self.ill: set[str] = set()
        """Revisions whose jobs do badly."""
        self.broken: set[str] = set()
        """Revisions whose jobs fail as they start."""
        self.subscriptions = {"requests"}
        self.wanted: Revision | None = revision(1)
        self.ledger = Ledger(service=SERVICE, slots={Slot.A: OpenSlot(subscription="requests")})
        self.doubled: list[str] = []
        """Launches that the service answered with a job that was there already."""
        self.acted: list[Action] = []

    # What time does.

    def pass_(self, seconds: float) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now = min(end, self.now + timedelta(seconds=20))
            for job in self.jobs:
                self._progress(job)
                self._serve(job)

    def _progress(self, job: SimJob) -> None:
        age = self.now - job.since
        match job.state:
            case "PENDING" if age > timedelta(seconds=40):
                self._begin(job)
            case "DRAINING" if age > timedelta(seconds=60) and not self.faults.drains_hang:
                self._to(job, "DRAINED")
            case "CANCELLING" if age > timedelta(seconds=30):
                self._to(job, "CANCELLED")

    def _serve(self, job: SimJob) -> None:
        if job.state == "RUNNING":
            job.requests += 100
            job.dead += 40 if job.revision in self.ill else 0

    def _begin(self, job: SimJob) -> None:
        old = next((j for j in self.jobs if j.id == job.replaces), None)
        if job.revision in self.broken or (old and self.faults.updates_refused):
            self._to(job, "FAILED")
            return
        if old is not None:
            if old.state != "RUNNING":
                self._to(job, "FAILED")
                return
            self._to(old, "UPDATED")
        self._to(job, "RUNNING")

    def _to(self, job: SimJob, state: str) -> None:
        job.state, job.since = state, self.now

    # What others do.

    def strike(self, state: str) -> None:
        """Somebody, or an accident, does that to the job that runs."""
        for job in self.jobs:
            if job.state == "RUNNING":
                self._to(job, state)
                return

    # A round.

    def observe(self) -> Snapshot:
        shown = [j for j in self.jobs if self._listed(j) or j.id in self.ledger.jobs]
        ended: dict[Slot, SimJob] = {j.slot: j for j in shown if not j.active}
        seen = [j for j in shown if j.active or j in ended.values() or self._recent(j)]
        return Snapshot(
            wanted=self.wanted,
            problem="" if self.wanted else "babyweight.yaml: no such field",
            jobs=tuple(self._seen(job) for job in seen),
            ledger=self.ledger,
            readings={j.id: self._reading(j) for j in seen if j.state == "RUNNING"}
            if not self.faults.readings_missing
            else {},
        )

    def _listed(self, job: SimJob) -> bool:
        return self.now - job.created_at >= self.faults.list_delay

    def _recent(self, job: SimJob) -> bool:
        return self.now - job.created_at < timedelta(hours=2)

    def _seen(self, job: SimJob) -> SeenJob:
        labels = {"revision": job.revision}
        return SeenJob(
            job=Job(job.id, live_job_name(SERVICE, job.slot), job.state, labels),
            slot=job.slot,
            revision=job.revision,
            created_at=job.created_at,
            workers=job.workers,
            launched_as=job.launched_as,
            replaces=job.replaces,
        )

    def _reading(self, job: SimJob) -> Reading:
        return Reading(
            at=self.now,
            requests=job.requests,
            dead=job.dead,
            scored=job.requests - job.dead,
            errors=0,
            backlog=0,
            oldest_unacked_seconds=0,
        )

    def round(self, crash: str = "") -> Decision:
        """observe → decide → act → record; `crash` is where Airflow is killed, if it is."""
        decision = decide(self.observe(), self.spec, TIMING, self.now)
        self.ledger = decision.before
        if crash == "before":
            raise Crash
        self._act(decision.action)
        self.acted.append(decision.action)
        if crash == "after":
            raise Crash
        self.ledger = decision.after
        return decision

    def _act(self, action: Action) -> None:
        match action:
            case Launch(slot, name):
                self._launch(slot, name, None)
            case Update(slot, name, job_id):
                self._launch(slot, name, job_id)
            case Drain(job_id):
                self._ask(job_id, ("RUNNING",), "DRAINING")
            case Cancel(job_id):
                self._ask(job_id, ("PENDING", "RUNNING", "DRAINING"), "CANCELLING")
            case Refresh(job_id, launched_as, name):
                assert self._job(job_id).launched_as == launched_as
                self._job(job_id).revision = name
            case Tune(job_id, workers):
                self._job(job_id).workers = workers
            case Open(slot):
                self.subscriptions.add(self.ledger.slots[slot].subscription)
            case Close(slot):
                name = self.ledger.slots[slot].subscription
                assert not self.readers(slot), f"{name} is deleted under a job"
                self.subscriptions.discard(name)
            case Seek(slot, _):
                assert not self.readers(slot), "a subscription is sought under a job"

    def _ask(self, job_id: str, legal: tuple[str, ...], state: str) -> None:
        if self._job(job_id).state in legal:
            self._to(self._job(job_id), state)

    def _launch(self, slot: Slot, name: str, replaces: str | None) -> None:
        if self.faults.launches_fail:
            return
        old = next((j for j in self.jobs if j.id == replaces and j.active), None)
        standing = [j for j in self.readers(slot) if j is not old]
        if standing:
            self.doubled.append(name)
            return
        if replaces is not None and (old is None or old.state != "RUNNING"):
            return
        workers = self.ledger.entries[name].revision.workers
        job = SimJob(f"job-{len(self.jobs)}", slot, name, workers, self.now, replaces=replaces)
        job.since, job.launched_as = self.now, name
        self.jobs.append(job)

    def readers(self, slot: Slot) -> list[SimJob]:
        return [j for j in self.jobs if j.slot == slot and j.active]

    def _job(self, job_id: str) -> SimJob:
        return next(job for job in self.jobs if job.id == job_id)

    def running(self) -> list[SimJob]:
        return [job for job in self.jobs if job.state == "RUNNING"]


def revision(
    number: int,
    *,
    topology: str = "1",
    model: str = "v1",
    base: int = 0,
    workers: int = 3,
    subscription: str = "requests",
) -> Revision:
    """base: not zero for one whose job can change over to another model."""
    return Revision(
        id=f"{number:040x}",
        model_version=model,
        place=Place(project="p", region="r", topic="requests", subscription=subscription),
        topology=topology,
        base=f"{base or number:040x}",
        refreshes=base > 0,
        workers=Workers(least=1, most=workers),
    )


def with_workers(old: Revision, most: int) -> Revision:
    return old.model_copy(update={"workers": replace_most(old.workers, most)})


def replace_most(workers: Workers, most: int) -> Workers:
    return workers.model_copy(update={"most": most})
