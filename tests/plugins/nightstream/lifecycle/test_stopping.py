"""Drains and their deadline, cancellations, suspensions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.actions import (
    Ask,
    Cancel,
    Drain,
    Launch,
    Nothing,
    Seek,
    Wait,
)
from nightstream.lifecycle.decision import Decision
from nightstream.lifecycle.ledger import OpenSlot
from nightstream.lifecycle.table.examples import (
    NOW,
    R1,
    R2,
    SPEC,
    a_job,
    a_ledger,
    a_reading,
    ago,
    asked,
    example,
)
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.lifecycle.decisions import (
    SEEK,
    action,
    by,
)

# Drains and their deadline.


def draining(minutes: float, spec: LifecycleSpec = SPEC, **reading: Any) -> Decision:
    """A job that has to make way, and whose drain was asked for that long ago."""
    ledger = a_ledger(stopped=("job-1",), drains={"job-1": ago(minutes)}, override=asked("suspend"))
    job = a_job(R1, "DRAINING")
    return example(job, ledger=ledger, spec=spec, reading=a_reading(**reading)).decided()


def test_a_drain_is_not_asked_for_again_before_it_can_show() -> None:
    ledger = a_ledger(drains={"job-1": ago(1)}, override=asked("suspend"))
    assert action(a_job(), ledger=ledger) == Wait()
    late = a_ledger(drains={"job-1": ago(3)}, override=asked("suspend"))
    assert action(a_job(), ledger=late) == Drain("job-1")


def test_a_cancellation_is_not_asked_for_again_before_it_can_show() -> None:
    ledger = a_ledger(cancels={"job-1": ago(1)}, override=asked("cancel"))
    assert action(a_job(), ledger=ledger) == Wait()
    late = a_ledger(cancels={"job-1": ago(3)}, override=asked("cancel"))
    assert action(a_job(), ledger=late) == Cancel("job-1")


def test_a_drain_is_waited_for_until_its_deadline() -> None:
    assert draining(29).action == Wait()
    assert draining(29, SEEK).action == Wait()


def test_past_its_deadline_a_drain_is_a_question_or_cut_off_as_the_spec_says() -> None:
    assert draining(31, by(after_deadline="wait")).action == Ask()
    assert draining(31, SEEK).action == Cancel("job-1")


def seek_to(decision: Decision) -> Any:
    return decision.before.slots[Slot.A].seek_to


def test_what_a_cut_off_job_had_under_way_is_read_again_from_a_margin_before_the_oldest() -> None:
    decision = draining(31, SEEK, oldest_unacked_seconds=40 * 60, watermark_age_seconds=0)
    assert seek_to(decision) == ago(40) - timedelta(seconds=60)
    by_watermark = draining(31, SEEK, oldest_unacked_seconds=0, watermark_age_seconds=50 * 60)
    assert seek_to(by_watermark) == ago(50) - timedelta(seconds=60)


def test_a_draining_job_read_nothing_after_its_drain_began() -> None:
    decision = draining(31, SEEK, oldest_unacked_seconds=0, watermark_age_seconds=0)
    assert seek_to(decision) == ago(31) - timedelta(seconds=60)


def test_without_knowing_the_oldest_request_no_drain_is_cut_off() -> None:
    assert draining(31, SEEK, oldest_unacked_seconds=None).action == Ask()


def test_an_earlier_reading_tells_of_the_oldest_request_as_well() -> None:
    before = a_reading(at=ago(4), oldest_unacked_seconds=40 * 60)
    ledger = a_ledger(drains={"job-1": ago(31)}, readings={"job-1": (before,)})
    unread = example(a_job(R1, "DRAINING"), wanted=R2, ledger=ledger, spec=SEEK)
    unread = replace(unread, seen=replace(unread.seen, readings={}))
    assert unread.decided().action == Cancel("job-1")
    assert seek_to(unread.decided()) == ago(45)


def test_a_subscription_is_brought_back_only_once_nothing_reads_it() -> None:
    sought = {Slot.A: OpenSlot(subscription="requests", seek_to=ago(40))}
    ledger = a_ledger(slots=sought)
    for state in ("CANCELLING", "DRAINING"):
        assert action(a_job(R1, state), wanted=R2, ledger=ledger) == Wait()
    assert action(wanted=R2, ledger=ledger) == Seek(Slot.A, ago(40))


def test_a_subscription_is_brought_back_once_and_then_the_job_is_launched() -> None:
    sought = {Slot.A: OpenSlot(subscription="requests", seek_to=ago(40))}
    after = example(wanted=R2, ledger=a_ledger(slots=sought)).decided().after
    assert action(wanted=R2, ledger=after) == Launch(Slot.A, "R2")


def test_a_job_that_a_person_cancels_while_it_drains_is_read_again_too() -> None:
    ledger = a_ledger(drains={"job-1": ago(5)}, override=asked("cancel"))
    decision = example(a_job(R1, "DRAINING"), ledger=ledger, spec=SEEK).decided()
    assert decision.action == Cancel("job-1")
    assert seek_to(decision) == ago(5) - timedelta(seconds=60)


# Suspension.


@pytest.mark.parametrize("suspended", ["spec", "override"])
def test_a_suspended_service_is_drained_and_not_started_again(suspended: str) -> None:
    spec = LifecycleSpec(state="suspended") if suspended == "spec" else SPEC
    ledger = a_ledger(override=asked("suspend") if suspended == "override" else None)
    assert action(a_job(), ledger=ledger, spec=spec) == Drain("job-1")
    assert action(ledger=ledger, spec=spec) == Nothing()


def test_a_suspension_near_the_retention_of_the_subscription_is_an_alert() -> None:
    spec = LifecycleSpec(state="suspended")
    assert action(ledger=a_ledger(suspended_at=ago(5.5 * 24 * 60)), spec=spec) == Nothing()
    late = example(ledger=a_ledger(suspended_at=ago(5.7 * 24 * 60)), spec=spec).decided()
    assert late.action == Ask()
    assert "will soon forget" in late.alerts[0]


def test_how_long_a_suspension_lasts_is_counted_from_its_beginning() -> None:
    spec = LifecycleSpec(state="suspended")
    first = example(a_job(), spec=spec).decided().before
    assert first.suspended_at == NOW
    assert example(ledger=first).decided().before.suspended_at is None, "it was resumed"
