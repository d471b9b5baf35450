"""What nobody understands, two jobs in one slot, and what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from nightstream.lifecycle.actions import (
    Ask,
    Cancel,
    Drain,
    Launch,
    Nothing,
    Wait,
)
from nightstream.lifecycle.table.examples import (
    R1,
    R2,
    a_job,
    a_ledger,
    asked,
    example,
)
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.lifecycle.decisions import (
    action,
)

# What nobody understands.


@pytest.mark.parametrize("override", [None, asked("cancel"), asked("suspend")])
def test_an_unknown_state_is_waited_out_never_acted_upon(override: Any) -> None:
    ledger = a_ledger(override=override)
    assert action(a_job(R1, "PAUSED"), wanted=R2, ledger=ledger) == Wait()


def test_nothing_is_done_beside_a_job_in_an_unknown_state() -> None:
    assert action(a_job(), a_job(R1, "PAUSED", id="job-2")) == Wait()


@pytest.mark.parametrize("of", ["R0", None])
def test_a_job_of_an_unknown_revision_is_a_question(of: str | None) -> None:
    assert action(a_job(of)) == Ask()


# Two jobs.


def test_a_duplicate_is_cancelled_and_the_one_that_runs_longest_stays() -> None:
    first, second = a_job(minutes=60), a_job(id="job-2", minutes=5)
    assert action(first, second) == Cancel("job-2")


def test_a_duplicate_that_runs_stays_rather_than_an_older_one_that_does_not() -> None:
    first, second = a_job(R1, "PENDING"), a_job(id="job-2", minutes=5)
    assert action(first, second) == Cancel("job-1")


def test_a_job_that_the_service_lists_twice_is_no_duplicate() -> None:
    assert action(a_job(), a_job()) == Nothing()


def test_a_job_that_takes_over_is_no_duplicate() -> None:
    new = a_job(R1, "PENDING", id="job-2", minutes=2, replaces="job-1")
    assert action(a_job(), new) == Wait()


def test_a_job_in_a_slot_that_is_not_in_use_is_drained() -> None:
    assert action(a_job(), a_job(id="job-2", slot=Slot.B)) == Drain("job-2")


# A spec or a model that cannot be read.


def test_an_invalid_spec_stops_nothing_and_is_a_question() -> None:
    decision = example(a_job(), wanted=None).decided()
    assert decision.action == Ask()
    assert "weights.yaml: streaming.topic is missing" in decision.reasons[0]


def test_a_job_that_ends_while_the_spec_is_invalid_is_launched_again() -> None:
    assert action(wanted=None) == Launch(Slot.A, "R1")


def test_nothing_is_launched_that_was_never_declared() -> None:
    assert action(wanted=None, ledger=a_ledger({})) == Ask()
