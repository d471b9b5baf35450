"""Which of a slot's listed jobs are looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nightstream.jobs.job import ListedJob, Phase, phase_of
from nightstream.lifecycle.ledger import Intent, Ledger, OpenSlot
from nightstream.streaming.naming import Slot
from nightstream.streaming.seeing import remembered, worth_a_look

START = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("PENDING", "RUNNING", "DRAINING", "FAILED", "CANCELLED", "UPDATED", "SOMETHING_NEW")


def listed(*states: str) -> list[ListedJob]:
    return [
        ListedJob(f"job-{place}", state, START + timedelta(hours=place))
        for place, state in enumerate(states)
    ]


def a_ledger(*known: str, slot: Slot = Slot.A, replaces: str | None = None) -> Ledger:
    intent = Intent(slot=slot, revision="r", replaces=replaces, known_ids=known, expires_at=START)
    slots = {Slot.A: OpenSlot(subscription="s")}
    return Ledger(service="weights", slots=slots, intent=intent, jobs=("job-7",))


def test_those_that_stand_and_the_one_that_ended_last() -> None:
    jobs = listed("FAILED", "DRAINED", "FAILED", "RUNNING")
    assert worth_a_look(jobs, Slot.A, None) == {"job-2", "job-3"}


def test_a_job_in_a_state_that_nobody_knows_stands() -> None:
    assert worth_a_look(listed("SOMETHING_NEW"), Slot.A, None) == {"job-0"}


def test_one_that_was_updated_ended_in_its_successor() -> None:
    assert worth_a_look(listed("FAILED", "UPDATED", "RUNNING"), Slot.A, None) == {"job-0", "job-2"}


def test_all_that_came_after_those_that_an_intent_knew() -> None:
    jobs = listed("FAILED", "FAILED", "FAILED", "FAILED")
    assert worth_a_look(jobs, Slot.A, a_ledger("job-0", "job-1")) == {"job-2", "job-3"}


def test_an_intent_that_knew_none_may_have_brought_any() -> None:
    assert worth_a_look(listed("FAILED", "FAILED"), Slot.A, a_ledger()) == {"job-0", "job-1"}


def test_the_intent_of_another_slot_changes_nothing() -> None:
    jobs = listed("FAILED", "FAILED")
    assert worth_a_look(jobs, Slot.A, a_ledger(slot=Slot.B)) == {"job-1"}


def test_those_that_stood_last_time_and_the_one_to_be_replaced_are_asked_for_by_id() -> None:
    assert remembered(a_ledger(replaces="job-5")) == {"job-5", "job-7"}
    assert remembered(None) == set()


@given(st.lists(st.sampled_from(STATES)), st.sets(st.integers(0, 9)), st.booleans())
def test_no_job_that_stands_or_is_new_is_overlooked(
    states: list[str], known: set[int], intends: bool
) -> None:
    jobs = listed(*states)
    ledger = a_ledger(*(f"job-{place}" for place in known)) if intends else None
    looked_at = worth_a_look(jobs, Slot.A, ledger)
    assert {job.id for job in jobs if phase_of(job.state) is not Phase.ENDED} <= looked_at
    if intends:
        newest = max((place for place in known if place < len(jobs)), default=-1)
        assert {job.id for job in jobs[newest + 1 :]} <= looked_at
