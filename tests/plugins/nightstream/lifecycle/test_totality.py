"""Every combination of states has a decision: whatever the ledger says and whatever is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from beam_jobs.spec.lifecycle import DrainSpec, HealthSpec, LifecycleSpec, UpgradeSpec
from nightstream.jobs.job import Job
from nightstream.lifecycle.actions import Action, Close, Drain, Launch, Refresh, Seek, Update
from nightstream.lifecycle.decision import Decision, decide, refused
from nightstream.lifecycle.learned import Learned
from nightstream.lifecycle.learning import learn
from nightstream.lifecycle.ledger import (
    Entry,
    Failure,
    FailureKind,
    Intent,
    Ledger,
    OpenSlot,
    Outcome,
    Override,
    Question,
)
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.requests import Kind, Request, RequestError, with_request
from nightstream.lifecycle.revisions import Revision, Workers
from nightstream.lifecycle.snapshot import SeenJob, Snapshot
from nightstream.lifecycle.table.examples import NOW, PLACE, TIMING
from nightstream.streaming.naming import Slot

_NAMES = ("R1", "R2", "R3", "R4")
_IDS = ("job-1", "job-2", "job-3", "job-4")
_STATES = (
    *("PENDING", "QUEUED", "STOPPED", "RUNNING", "RESOURCE_CLEANING_UP", "DRAINING", "CANCELLING"),
    *("DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED", "PAUSED", "", "UNKNOWN"),
)

_moments = st.integers(-14 * 24 * 3_600, 3_600).map(lambda s: NOW + timedelta(seconds=s))
_names, _ids, _slots = st.sampled_from(_NAMES), st.sampled_from(_IDS), st.sampled_from(Slot)
_counts = st.none() | st.integers(0, 10**6)
_ages = st.none() | st.floats(0, 10**6)
_workers = st.builds(Workers, least=st.integers(1, 3), most=st.integers(3, 5))
_places = st.sampled_from([PLACE, PLACE.model_copy(update={"subscription": "orders"})])
_texts = st.sampled_from(["", "one", "R1 is rejected"])


def a_revision(name: str) -> st.SearchStrategy[Revision]:
    return st.builds(
        Revision,
        id=st.just(name),
        model_version=st.sampled_from("12"),
        place=_places,
        topology=st.sampled_from("12"),
        base=st.sampled_from("AB"),
        refreshes=st.booleans(),
        workers=_workers,
    )


def an_entry(name: str) -> st.SearchStrategy[Entry]:
    return st.builds(
        _entry,
        a_revision(name),
        st.sampled_from(Outcome),
        st.lists(_texts, max_size=2).map(tuple),
        _moments,
        st.none() | _moments,
    )


def _entry(
    of: Revision, outcome: Outcome, reasons: Any, at: datetime, since: datetime | None
) -> Entry:
    times = {outcome: at}
    return Entry(revision=of, outcome=outcome, reasons=reasons, times=times, running_since=since)


_readings = st.builds(
    Reading,
    at=_moments | st.just(NOW),
    requests=_counts,
    dead=_counts,
    scored=_counts,
    errors=_counts,
    backlog=_counts,
    oldest_unacked_seconds=_ages,
    watermark_age_seconds=_ages,
    last_event_at=st.none() | _moments,
)
_failures = st.builds(
    Failure,
    at=_moments,
    kind=st.sampled_from(FailureKind),
    revision=_names,
    job_id=st.none() | _ids,
    reason=_texts,
)
_intents = st.builds(
    Intent,
    slot=_slots,
    revision=_names,
    replaces=st.none() | _ids,
    known_ids=st.lists(_ids, max_size=2).map(tuple),
    expires_at=_moments,
)
_open_slots = st.builds(
    OpenSlot,
    subscription=st.sampled_from(["requests", "requests-b", "orders"]),
    opened_at=st.none() | _moments,
    ready=st.booleans(),
    seek_to=st.none() | _moments,
)
_overrides = st.builds(
    Override,
    kind=st.sampled_from(["suspend", "cancel", "pin", "roll_back", "redeploy"]),
    revision=st.none() | _names,
    instead_of=st.none() | _names,
    job_id=st.none() | _ids,
    by=st.just("Ada"),
    at=_moments,
)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Any that can be read."""
    known = {name: draw(an_entry(name)) for name in draw(st.sets(_names))}
    slots = draw(st.dictionaries(_slots, _open_slots, min_size=1))
    times = st.dictionaries(_ids, _moments, max_size=2)
    ids = st.lists(_ids, max_size=3).map(tuple)
    return Ledger(
        service="weights",
        entries=known,
        stable=draw(st.sampled_from([None, *known])),
        active=draw(st.sampled_from(sorted(slots))),
        slots=slots,
        intent=draw(st.none() | _intents),
        override=draw(st.none() | _overrides),
        jobs=draw(ids),
        stopped=draw(ids),
        drains=draw(times),
        cancels=draw(times),
        failures=draw(st.lists(_failures, max_size=7).map(tuple)),
        refused=draw(st.lists(st.tuples(_names, _names), max_size=3).map(tuple)),
        suspended_at=draw(st.none() | _moments),
        readings=draw(st.dictionaries(_ids, st.lists(_readings, max_size=3).map(tuple))),
        question=draw(st.none() | st.builds(Question, text=_texts, at=_moments)),
        untold=draw(st.lists(_texts, max_size=1).map(tuple)),
    )


def a_job(id: str, state: str, slot: Slot, of: str | None, **more: Any) -> SeenJob:
    job = Job(id, f"weights-live-{slot}", state, {})
    return SeenJob(job=job, slot=slot, revision=of, **more)


_jobs = st.builds(
    a_job,
    id=_ids,
    state=st.sampled_from(_STATES) | st.sampled_from(["RUNNING", "RUNNING", "DRAINING"]),
    slot=_slots,
    of=st.none() | _names | _names,
    created_at=_moments,
    workers=_workers,
    launched_as=st.none() | _names,
    replaces=st.none() | _ids,
)
_specs = st.builds(
    LifecycleSpec,
    state=st.sampled_from(["running", "running", "suspended"]),
    upgrade=st.builds(
        UpgradeSpec,
        strategy=st.sampled_from(["update", "drain_and_replace", "parallel"]),
        model=st.sampled_from(["update", "refresh", "hold"]),
    ),
    drain=st.builds(DrainSpec, after_deadline=st.sampled_from(["wait", "cancel_and_seek"])),
    health=st.builds(HealthSpec, most_errors=st.sampled_from([0, 20])),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any: jobs in every state, several to a slot, without labels, with readings or without."""
    jobs: list[SeenJob] = draw(st.lists(_jobs, max_size=4, unique_by=lambda job: job.id))
    readings: Mapping[str, Reading] = draw(st.dictionaries(_ids, _readings))
    wanted = draw(st.none() | _names.flatmap(a_revision))
    problem = "" if wanted else "weights.yaml: wrong"
    return Snapshot(wanted, problem, tuple(jobs), draw(ledgers()), readings)


def check(decision: Decision, seen: Snapshot) -> None:
    """It explains itself, its ledgers can be read again, and its action is a legal one."""
    assert isinstance(decision.action, get_args(Action))
    assert decision.reasons
    assert all(said == said.strip() for said in (*decision.reasons, *decision.news))
    for ledger in (decision.before, decision.after):
        assert Ledger.model_validate(ledger.model_dump()) == ledger
    standing = {job.id: job for job in seen.standing()}
    match decision.action:
        case Launch(slot) | Seek(slot):
            assert not seen.standing(slot), "beside another job"
        case Close(slot):
            assert not seen.standing(slot), "under a job"
        case Update(_, _, job_id) | Drain(job_id) | Refresh(job_id):
            assert standing[job_id].running, "it cannot be asked for that yet"


def has_a_decision(seen: Snapshot, spec: LifecycleSpec) -> None:
    decision = decide(seen, spec, TIMING, NOW)
    check(decision, seen)
    assert decide(seen, spec, TIMING, NOW) == decision, "the same question has the same answer"
    once = learn(seen, spec, NOW)
    again = learn(replace(seen, ledger=once.ledger), spec, NOW)
    assert again == Learned(once.ledger), "the same snapshot adds nothing twice"
    told_no = replace(seen, ledger=refused(decision, "the service says no", NOW))
    check(decide(told_no, spec, TIMING, NOW), told_no)


def some(number: int) -> settings:
    return settings(
        max_examples=number,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


@some(200)
@given(snapshots(), _specs)
def test_every_snapshot_has_a_decision_that_explains_itself(
    seen: Snapshot, spec: LifecycleSpec
) -> None:
    has_a_decision(seen, spec)


@pytest.mark.long
@some(20_000)
@given(snapshots(), _specs)
def test_each_of_very_many_snapshots_has_a_decision(seen: Snapshot, spec: LifecycleSpec) -> None:
    has_a_decision(seen, spec)


@some(100)
@given(snapshots(), _specs, st.sampled_from(Kind), st.none() | _names)
def test_every_request_is_obeyed_or_refused_with_a_remedy(
    seen: Snapshot, spec: LifecycleSpec, kind: Kind, name: str | None
) -> None:
    said, asked = "Remedy: ", seen
    try:
        asked = with_request(seen, Request(kind, "Ada", name), NOW)
    except RequestError as error:
        said = str(error)
    assert "Remedy: " in said
    check(decide(asked, spec, TIMING, NOW), asked)
