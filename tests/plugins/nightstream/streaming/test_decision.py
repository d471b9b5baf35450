"""What to do about a service's streaming job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightstream.forms.streaming import Action
from nightstream.jobs.job import Job, Phase
from nightstream.streaming.decision import (
    Adopt,
    Launch,
    Reached,
    Refuse,
    Wait,
    decide_start,
    judge,
)
from nightstream.streaming.naming import Slot, live_job_name, revision_of

REVISION, OTHER = "a" * 40, "b" * 40
NOW = datetime(2026, 1, 5, tzinfo=UTC)
DEADLINE = NOW + timedelta(hours=1)
ACTIVE = ("STOPPED", "PENDING", "QUEUED", "RUNNING", "RESOURCE_CLEANING_UP")
STOPPING = ("DRAINING", "CANCELLING")
ENDED = ("DONE", "FAILED", "CANCELLED", "DRAINED", "UPDATED")
STATES = st.sampled_from((*ACTIVE, *STOPPING, *ENDED, "PAUSED_FOR_LUNCH"))


def job(state: str, revision: str = REVISION) -> Job:
    return Job("id", live_job_name("weights", Slot.A), state, {"revision": revision})


def test_where_nothing_bears_the_name_a_job_is_launched() -> None:
    assert decide_start([], REVISION) == Launch()


@pytest.mark.parametrize("state", ACTIVE)
def test_a_job_of_the_revision_is_adopted(state: str) -> None:
    assert decide_start([job(state)], REVISION) == Adopt(job(state))


@pytest.mark.parametrize("state", [*STOPPING, "PAUSED_FOR_LUNCH"])
def test_a_job_that_stops_or_is_not_understood_is_waited_for(state: str) -> None:
    assert decide_start([job(state)], REVISION) == Wait(job(state))


def test_a_job_of_another_revision_is_refused_with_the_remedy() -> None:
    refused = decide_start([job("RUNNING", OTHER)], REVISION)

    assert isinstance(refused, Refuse)
    assert f"is RUNNING with revision {OTHER}; to be started is {REVISION}" in refused.reason
    assert "Remedy: trigger this DAG with the action `drain`" in refused.reason


def test_a_job_of_somebody_else_is_refused() -> None:
    stranger = Job("id", "weights-live-a", "RUNNING", {})

    refused = decide_start([stranger], REVISION)

    assert isinstance(refused, Refuse)
    assert "of somebody else" in refused.reason


@given(st.lists(st.builds(job, STATES, st.sampled_from((REVISION, OTHER))), max_size=4))
def test_nothing_is_launched_beside_a_job_that_stands(jobs: list[Job]) -> None:
    standing = [found for found in jobs if found.phase is not Phase.ENDED]

    match decide_start(standing, REVISION):
        case Launch():
            assert not standing
        case Adopt(found):
            assert found.phase is Phase.ACTIVE
            assert {revision_of(other) for other in standing} == {REVISION}
        case Wait(found):
            assert found.phase is not Phase.ACTIVE
        case Refuse(reason):
            assert "Remedy" in reason


def test_a_started_job_is_waited_for_until_it_runs() -> None:
    assert judge(Action.START, job("PENDING"), DEADLINE, NOW) == Wait(job("PENDING"))
    assert judge(Action.START, job("RUNNING"), DEADLINE, NOW) == Reached()


@pytest.mark.parametrize("state", [*STOPPING, *ENDED])
def test_a_started_job_that_stops_instead_is_told(state: str) -> None:
    told = judge(Action.START, job(state), DEADLINE, NOW)

    assert told == Refuse(f"weights-live-a (id) was launched and is {state}")


@pytest.mark.parametrize("state", ["RUNNING", "DRAINING", "PAUSED_FOR_LUNCH"])
def test_a_drain_is_waited_for_until_its_deadline(state: str) -> None:
    assert judge(Action.DRAIN, job(state), DEADLINE, NOW) == Wait(job(state), until=DEADLINE)

    told = judge(Action.DRAIN, job(state), DEADLINE, DEADLINE)

    assert isinstance(told, Refuse)
    assert f"is still {state} at the deadline of its drain; it is left alone" in told.reason
    assert "Remedy" in told.reason


def test_only_a_drained_job_counts_as_drained_however_late() -> None:
    assert judge(Action.DRAIN, job("DRAINED"), DEADLINE, DEADLINE) == Reached()
    told = judge(Action.DRAIN, job("CANCELLED"), DEADLINE, NOW)
    assert told == Refuse("weights-live-a (id) ended as CANCELLED before it was drained")


@pytest.mark.parametrize("state", ENDED)
def test_a_cancelled_job_only_has_to_end(state: str) -> None:
    assert judge(Action.CANCEL, job("CANCELLING"), DEADLINE, DEADLINE) == Wait(job("CANCELLING"))
    assert judge(Action.CANCEL, job(state), DEADLINE, NOW) == Reached()


@given(st.sampled_from(Action), STATES, st.timedeltas(timedelta(), timedelta(hours=2)))
def test_there_is_a_judgement_for_every_state(action: Action, state: str, past: timedelta) -> None:
    assert isinstance(judge(action, job(state), DEADLINE, NOW + past), Reached | Wait | Refuse)
