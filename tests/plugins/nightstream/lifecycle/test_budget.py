"""How long to wait before a job is started again, and when to stop trying."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.spec.lifecycle import RestartSpec
from nightstream.lifecycle.budget import failed_at_once, failures_of, next_try, spent, times
from nightstream.lifecycle.ledger import FailureKind
from nightstream.lifecycle.table.examples import R1, R2, a_ledger, ago, failures

SPEC = RestartSpec(most=5, first_wait_seconds=30, longest_wait_seconds=600)
CRASH, RELEASE = FailureKind.CRASH, FailureKind.RELEASE


def test_without_a_failure_there_is_nothing_to_wait_for() -> None:
    assert next_try((), SPEC) is None


@pytest.mark.parametrize(("number", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 480), (6, 600)])
def test_each_wait_is_twice_the_one_before_up_to_the_longest(number: int, seconds: int) -> None:
    crashes = failures(R1, CRASH, number, 0)
    assert next_try(crashes, SPEC) == ago(0) + timedelta(seconds=seconds)


@given(st.integers(1, 101), st.floats(1, 2_678_400))
def test_no_wait_is_longer_than_the_longest(number: int, longest: float) -> None:
    spec = RestartSpec(first_wait_seconds=1, longest_wait_seconds=longest)
    due = next_try(failures(R1, CRASH, number, 0), spec)
    assert due is not None
    assert due - ago(0) <= timedelta(seconds=longest)


def test_the_budget_is_spent_after_the_last_restart() -> None:
    assert not spent(failures(R1, CRASH, 5, 0), SPEC)
    assert spent(failures(R1, CRASH, 6, 0), SPEC)


def test_a_release_that_fails_at_once_is_tried_twice_at_most() -> None:
    assert not spent(failures(R1, RELEASE, 1, 0), SPEC)
    assert spent(failures(R1, RELEASE, 2, 0), SPEC)


def test_without_a_budget_a_person_is_asked_at_once() -> None:
    spec = RestartSpec(most=0)
    assert not spent((), spec)
    assert spent(failures(R1, CRASH, 1, 0), spec)


def test_only_a_release_fails_at_once() -> None:
    assert failed_at_once(failures(R1, RELEASE, 1, 0))
    assert not failed_at_once(failures(R1, CRASH, 3, 0))


def test_a_revision_does_not_pay_for_the_failures_of_another() -> None:
    ledger = a_ledger(failures=(*failures(R1, CRASH, 2, 0), *failures(R2, RELEASE, 1, 0)))
    assert len(failures_of(ledger, "R1")) == 2


def test_failures_are_told_with_their_number_their_kinds_and_the_last_reason() -> None:
    last = failures(R1, FailureKind.LAUNCH, 1, 0)[0].model_copy(update={"reason": "no quota"})
    assert times(failures(R1, CRASH, 1, 0)) == "once (crash)"
    assert times((*failures(R1, CRASH, 1, 0), last)) == "2 times (crash, launch: no quota)"
