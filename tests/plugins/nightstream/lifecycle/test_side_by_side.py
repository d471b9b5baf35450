"""Upgrades in two slots: the old job serves until the new one has proved itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.actions import (
    Ask,
    Close,
    Drain,
    Launch,
    Open,
    Seek,
    Wait,
)
from nightstream.lifecycle.ledger import OpenSlot, Outcome
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Revision
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.lifecycle.table.examples import (
    ILL,
    NOW,
    R1,
    R2,
    Example,
    a_job,
    a_ledger,
    a_reading,
    ago,
    an_entry,
    beside,
    example,
)
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.lifecycle.decisions import (
    PARALLEL,
    action,
    by,
)


def two(
    *jobs: SeenJob,
    wanted: Revision = R2,
    outcome: Outcome = Outcome.LAUNCHED,
    minutes: float = 60,
    reading: Reading | None = None,
    spec: LifecycleSpec = PARALLEL,
    **slots: Any,
) -> Example:
    known = a_ledger({Outcome.STABLE: R1, outcome: R2} if outcome is not Outcome.STABLE else None)
    begun = {**known.entries, "R2": an_entry(R2, outcome, minutes)}
    ledger = known.model_copy(update={"slots": beside(**slots), "entries": begun})
    return example(*jobs, wanted=wanted, ledger=ledger, spec=spec, reading=reading)


OLD, NEW = a_job(), a_job(R2, id="job-2", slot=Slot.B)


def test_a_second_slot_gets_a_subscription_before_it_gets_a_job() -> None:
    opening = example(OLD, wanted=R2, spec=PARALLEL).decided()
    assert opening.before.slots[Slot.B] == OpenSlot(
        subscription="requests-b", ready=False, opened_at=NOW
    )
    assert opening.after.slots[Slot.B].ready


def test_what_was_published_before_the_launch_may_be_on_the_old_subscription_alone() -> None:
    launching = two(OLD, opened_minutes=30).decided()
    assert launching.action == Launch(Slot.B, "R2")
    assert launching.before.slots[Slot.B].opened_at == NOW


def test_opening_a_slot_is_repeated_until_it_is_certain() -> None:
    assert two(OLD, ready=False).decided().action == Open(Slot.B)
    assert two(OLD).decided().action == Launch(Slot.B, "R2")


def test_the_old_job_serves_until_the_new_one_is_stable() -> None:
    starting = a_job(R2, "PENDING", id="job-2", slot=Slot.B, minutes=2)
    assert two(OLD, starting).decided().action == Wait()
    assert two(OLD, NEW, minutes=14).decided().action == Wait()
    assert two(OLD, NEW, minutes=15).decided().action == Drain("job-1")


def test_a_revision_that_was_stable_once_has_to_prove_itself_in_its_new_job_too() -> None:
    starting = a_job(R2, "PENDING", id="job-2", slot=Slot.B, minutes=2)
    assert two(OLD, starting, outcome=Outcome.STABLE).decided().action == Wait()
    assert two(OLD, NEW, outcome=Outcome.STABLE, minutes=14).decided().action == Wait()
    assert two(OLD, NEW, outcome=Outcome.STABLE).decided().action == Drain("job-1")


def test_the_old_job_is_not_drained_while_the_new_one_is_ending() -> None:
    for state in ("DRAINING", "CANCELLING"):
        ending = a_job(R2, state, id="job-2", slot=Slot.B)
        assert two(OLD, ending, outcome=Outcome.STABLE).decided().action == Wait()


def test_the_old_job_is_not_drained_while_requests_wait_that_only_it_can_read() -> None:
    waiting = a_reading(backlog=9, oldest_unacked_seconds=3_000)
    found = two(OLD, NEW, reading=waiting, opened_minutes=30).decided()
    assert found.action == Wait()
    recent = a_reading(backlog=9, oldest_unacked_seconds=30)
    assert two(OLD, NEW, reading=recent, opened_minutes=30).decided().action == Drain("job-1")


def test_requests_that_the_old_job_has_under_way_count_too() -> None:
    under_way = a_reading(watermark_age_seconds=3_000)
    assert two(OLD, NEW, reading=under_way, opened_minutes=30).decided().action == Wait()


def test_a_person_hears_of_an_old_job_that_does_not_get_through_with_its_requests() -> None:
    waiting = a_reading(backlog=9, oldest_unacked_seconds=6_000)
    assert two(OLD, NEW, reading=waiting, opened_minutes=46).decided().action == Ask()


def test_what_a_cut_off_job_in_the_second_slot_had_under_way_is_read_again() -> None:
    seen = two(OLD)
    slots = dict(seen.seen.ledger.slots)
    slots[Slot.B] = slots[Slot.B].model_copy(update={"seek_to": ago(9)})
    sought = seen.but(slots=slots).decided()
    assert sought.action == Seek(Slot.B, ago(9))
    again = example(OLD, wanted=R2, ledger=sought.after, spec=PARALLEL)
    assert again.decided().action == Launch(Slot.B, "R2")


def test_once_the_old_job_has_gone_its_subscription_goes_and_the_new_slot_serves() -> None:
    closing = two(NEW, outcome=Outcome.STABLE).decided()
    assert closing.action == Close(Slot.A)
    assert (closing.before.active, closing.before.slots[Slot.A].ready) == (Slot.B, False)
    assert set(closing.after.slots) == {Slot.B}


def test_a_slot_whose_closing_broke_off_is_closed() -> None:
    broken_off = two(NEW, outcome=Outcome.STABLE).decided().before
    assert action(NEW, wanted=R2, ledger=broken_off, spec=PARALLEL) == Close(Slot.A)


def test_a_new_job_that_does_badly_goes_and_the_old_one_never_stopped() -> None:
    assert two(OLD, NEW, minutes=5, reading=ILL).decided().action == Drain("job-2")
    rejected = two(OLD, outcome=Outcome.REJECTED).decided()
    assert rejected.action == Close(Slot.B)
    assert rejected.after.active is Slot.A


def test_an_upgrade_that_is_no_longer_asked_for_is_broken_off() -> None:
    assert two(OLD, NEW, wanted=R1).decided().action == Drain("job-2")
    assert two(OLD, wanted=R1).decided().action == Close(Slot.B)


def test_a_slot_without_a_job_is_closed_when_the_strategy_changes() -> None:
    assert two(OLD, spec=by("update")).decided().action == Close(Slot.B)


def test_a_spec_that_cannot_be_read_stops_neither_job() -> None:
    seen = two(OLD, NEW, minutes=5)
    unread = replace(seen, seen=replace(seen.seen, wanted=None, problem="wrong"))
    assert unread.decided().action == Wait()
