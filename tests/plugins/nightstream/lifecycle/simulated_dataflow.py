"""A simulated Dataflow with its subscriptions, and an Airflow that may be killed between any two
calls: only time and chance are not real."""

from __future__ import annotations

from collections.abc import Generator, Iterator
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
from nightstream.lifecycle.decision import Decision, decide, refused
from nightstream.lifecycle.ledger import Ledger, OpenSlot
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.requests import Request, with_request
from nightstream.lifecycle.revisions import Place, Revision, Workers
from nightstream.lifecycle.snapshot import SeenJob, Snapshot
from nightstream.streaming.naming import Slot, live_job_name
from tests.plugins.nightstream.lifecycle.simulated_requests import Requests

SERVICE = "weights"
ENDED = ("FAILED", "CANCELLED", "DRAINED", "UPDATED")
TIMING = Timing(timedelta(minutes=10), timedelta(minutes=30), timedelta(days=7))
_TICK = timedelta(seconds=20)


@dataclass
class SimJob:
    """A job as it truly is."""

    id: str
    slot: Slot
    revision: str
    workers: Workers
    created_at: datetime
    subscription: str
    state: str = "PENDING"
    replaces: str | None = None
    launched_as: str = ""
    requests: int = 0
    dead: int = 0
    since: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    cut_off: bool = False
    """Cancelled after the deadline of its drain."""

    @property
    def active(self) -> bool:
        return self.state not in ENDED


class Overtaken(Exception):
    """Somebody else has written the ledger."""


@dataclass
class Faults:
    """What is wrong with the world at the moment."""

    list_delay: timedelta = timedelta(0)
    """A new job is missing from lists for so long."""
    drains_hang: bool = False
    updates_refused: bool = False
    launches_fail: bool = False
    readings_missing: bool = False
    states_unknown: bool = False


class World:
    """Dataflow, Pub/Sub, the ledger's object, the spec, and the clock."""

    def __init__(self, spec: LifecycleSpec, acknowledges_early: bool = False) -> None:
        """acknowledges_early: jobs acknowledge what they have read before it is written."""
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.spec = spec
        self.jobs: list[SimJob] = []
        self.faults = Faults()
        self.requests = Requests(acknowledges_early)
        self.ill: set[str] = set()
        """Revisions whose jobs do badly."""
        self.broken: set[str] = set()
        """Revisions whose jobs fail as they start."""
        self.subscribe("requests")
        self.wanted: Revision | None = revision(1)
        self.ledger = Ledger(service=SERVICE, slots={Slot.A: OpenSlot(subscription="requests")})
        self.generation = 0
        self.acted: list[Action] = []
        self._asked_at: dict[tuple[str, str], datetime] = {}

    @property
    def subscriptions(self) -> set[str]:
        return set(self.requests.waiting)

    def subscribe(self, name: str) -> None:
        self.requests.subscribe(name)

    # What time does.

    def pass_(self, seconds: float) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now = min(end, self.now + _TICK)
            self.requests.publish(self.now)
            for job in self.jobs:
                self._progress(job)
                self._serve(job)

    def _progress(self, job: SimJob) -> None:
        age = self.now - job.since
        match job.state:
            case "PENDING" if age > timedelta(seconds=40):
                self._begin(job)
            case "DRAINING" if age > timedelta(seconds=60) and not self.faults.drains_hang:
                self.requests.write(job.id)
                self._to(job, "DRAINED")
            case "CANCELLING" if age > timedelta(seconds=30):
                self._to(job, "CANCELLED")

    def _serve(self, job: SimJob) -> None:
        if job.state == "RUNNING":
            self.requests.write(job.id)
            self.requests.take(job.id, job.subscription)
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
            self.requests.hand_over(old.id, job.id)
            self._to(old, "UPDATED")
        self._to(job, "RUNNING")

    def _to(self, job: SimJob, state: str) -> None:
        job.state, job.since = state, self.now
        if state in ("FAILED", "CANCELLED"):
            self.requests.give_up(job.id, excused=not job.cut_off)

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
            readings={j.id: self._reading(j) for j in seen if j.state in ("RUNNING", "DRAINING")}
            if not self.faults.readings_missing
            else {},
        )

    def _listed(self, job: SimJob) -> bool:
        return self.now - job.created_at >= self.faults.list_delay

    def _recent(self, job: SimJob) -> bool:
        return self.now - job.created_at < timedelta(hours=2)

    def _seen(self, job: SimJob) -> SeenJob:
        labels = {"revision": job.revision}
        state = "PAUSING" if self.faults.states_unknown and job.active else job.state
        return SeenJob(
            job=Job(job.id, live_job_name(SERVICE, job.slot), state, labels),
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
            revision=job.revision,
            requests=job.requests,
            dead=job.dead,
            scored=job.requests - job.dead,
            errors=0,
            backlog=len(self.requests.waiting[job.subscription]),
            oldest_unacked_seconds=self.requests.oldest_waiting(job.subscription, self.now),
            watermark_age_seconds=self.requests.oldest_under_way(job.id, self.now),
        )

    def round(self, request: Request | None = None) -> Decision:
        """A whole one: observe → decide → act → record."""
        *_, decision = self.steps(request)
        assert decision is not None
        return decision

    def steps(self, request: Request | None = None) -> Iterator[Decision | None]:
        """One round, which pauses wherever Airflow may be killed or overtaken; the decision comes
        last. Raises RequestError, Overtaken."""
        seen, generation, at = self.observe(), self.generation, self.now
        if request is not None:
            seen = with_request(seen, request, at)
        decision = decide(seen, self.spec, TIMING, at)
        yield None
        generation = self._swap(decision.before, generation)
        self._is_no_repetition(decision.action, seen.ledger)
        yield None
        refusal = yield from self._act(decision.action, decision.before)
        yield None
        after = refused(decision, refusal, at) if refusal else decision.after
        self._swap(after, generation)
        self.acted.append(decision.action)
        if isinstance(decision.action, Seek | Close):
            assert not refusal, "it was decided beside a job that reads the subscription"
        yield decision

    def _swap(self, ledger: Ledger, generation: int) -> int:
        if self.generation != generation:
            raise Overtaken
        self.ledger, self.generation = ledger, generation + 1
        return self.generation

    def _is_no_repetition(self, action: Action, ledger: Ledger) -> None:
        """What was done a moment ago and may not show yet is not done again."""
        match action:
            case Launch() | Update() if (intent := ledger.intent) is not None:
                came = any(j.id not in intent.known_ids for j in self.jobs if j.slot == intent.slot)
                assert came or self.now >= intent.expires_at, f"{action}, after {intent}"
            case Drain(job_id) | Cancel(job_id):
                asked_at = self._asked_at.get((action.kind, job_id))
                assert asked_at is None or self.now - asked_at >= timedelta(minutes=2), action
                self._asked_at[action.kind, job_id] = self.now

    def _act(self, action: Action, ledger: Ledger) -> Generator[None, None, str]:
        """Pauses between two calls; returns why the action was refused, if it was."""
        match action:
            case Launch(slot, name):
                return self._launch(ledger, slot, name, None)
            case Update(slot, name, job_id):
                return self._launch(ledger, slot, name, job_id)
            case Drain(job_id):
                return self._ask(job_id, ("RUNNING",), "DRAINING")
            case Cancel(job_id):
                job, override = self._job(job_id), ledger.override
                asked_for = override is not None and override.kind == "cancel"
                job.cut_off = job.state == "DRAINING" and not asked_for
                return self._ask(job_id, ("PENDING", "RUNNING", "DRAINING"), "CANCELLING")
            case Refresh(job_id, launched_as, name):
                assert self._job(job_id).launched_as == launched_as
                self._job(job_id).revision = name
            case Tune(job_id, workers):
                self._job(job_id).workers = workers
            case Open(slot):
                name, serving = (
                    ledger.slots[slot].subscription,
                    ledger.slots[ledger.active].subscription,
                )
                self.requests.subscribe(name)
                yield
                self.requests.copy(serving, name)
            case Close(slot):
                if self.readers(slot):
                    return f"{ledger.slots[slot].subscription} is read"
                self.requests.unsubscribe(ledger.slots[slot].subscription)
            case Seek(slot, to):
                if self.readers(slot):
                    return f"{ledger.slots[slot].subscription} is read"
                self.requests.seek(ledger.slots[slot].subscription, to)
        return ""

    def _ask(self, job_id: str, legal: tuple[str, ...], state: str) -> str:
        if self._job(job_id).state not in legal:
            return f"{job_id} is {self._job(job_id).state}"
        self._to(self._job(job_id), state)
        return ""

    def _launch(self, ledger: Ledger, slot: Slot, name: str, replaces: str | None) -> str:
        """The service answers a second launch with the job that there is."""
        if self.faults.launches_fail:
            return ""
        old = next((j for j in self.jobs if j.id == replaces and j.active), None)
        standing = [j for j in self.readers(slot) if j is not old]
        if standing:
            return f"{standing[0].id} stands in slot {slot}"
        if replaces is not None and (old is None or old.state != "RUNNING"):
            return f"there is no {replaces} to take over from"
        workers = ledger.entries[name].revision.workers
        subscription = ledger.slots[slot].subscription
        assert subscription in self.requests.waiting, f"{subscription} is gone"
        job = SimJob(f"job-{len(self.jobs)}", slot, name, workers, self.now, subscription)
        job.since, job.launched_as, job.replaces = self.now, name, replaces
        self.jobs.append(job)
        return ""

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
    refreshes: bool = False,
    workers: int = 3,
    subscription: str = "requests",
) -> Revision:
    """base: revisions of one base differ in their models only."""
    return Revision(
        id=f"{number:040x}",
        model_version=model,
        place=Place(project="p", region="r", topic="requests", subscription=subscription),
        topology=topology,
        base=f"{base or number:040x}",
        refreshes=refreshes,
        workers=Workers(least=1, most=workers),
    )


def with_workers(old: Revision, most: int) -> Revision:
    return old.model_copy(update={"workers": Workers(least=old.workers.least, most=most)})
