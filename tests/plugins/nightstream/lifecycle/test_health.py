"""Health is that data flows; no traffic is not ill health, and a missing reading says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.spec.lifecycle import HealthSpec
from nightstream.lifecycle.health import Health, Verdict, diagnose

LIMITS = HealthSpec()
WELL = {
    "seconds": 600,
    "running_seconds": 600,
    "requests": 1_000,
    "dead": 0,
    "rows_out": 1_000,
    "errors": 0,
    "backlog": 0,
}
STUCK = {**WELL, "requests": 0, "rows_out": 0, "backlog": 9}


def verdict(**health: Any) -> Verdict:
    return diagnose(Health(**{**WELL, **health}), LIMITS).verdict


def test_a_job_whose_data_flows_is_well() -> None:
    assert verdict() is Verdict.GOOD


def test_no_traffic_is_not_ill_health() -> None:
    assert verdict(requests=0, rows_out=0) is Verdict.GOOD
    assert verdict(requests=0, rows_out=0, lag_seconds=9e5, lag_before=8e5) is Verdict.GOOD


def test_too_many_dead_letters_are_ill() -> None:
    assert verdict(dead=51) is Verdict.ILL
    assert verdict(dead=50) is Verdict.GOOD


def test_few_requests_say_nothing_of_the_share_of_dead_letters() -> None:
    assert verdict(requests=49, dead=49, rows_out=0) is Verdict.GOOD
    assert verdict(requests=50, dead=50, rows_out=0) is Verdict.ILL


def test_too_many_error_messages_are_ill() -> None:
    assert verdict(errors=21) is Verdict.ILL
    assert verdict(errors=20) is Verdict.GOOD


def test_requests_that_wait_while_no_row_comes_out_are_ill() -> None:
    assert verdict(**STUCK, oldest_unacked_seconds=400) is Verdict.ILL


def test_a_request_that_has_just_come_has_not_waited() -> None:
    assert verdict(**STUCK, oldest_unacked_seconds=2) is Verdict.GOOD


def test_where_no_age_is_known_a_backlog_all_along_the_window_has_waited() -> None:
    assert verdict(**STUCK, backlog_before=3) is Verdict.ILL
    assert verdict(**STUCK, backlog_before=0) is Verdict.GOOD
    assert verdict(**STUCK) is Verdict.GOOD


def test_less_than_a_window_is_too_early_to_say_that_nothing_comes_out() -> None:
    assert verdict(**{**STUCK, "seconds": 299}, oldest_unacked_seconds=400) is Verdict.GOOD


def test_a_job_that_was_just_started_is_not_yet_stuck() -> None:
    started = {**STUCK, "oldest_unacked_seconds": 400}
    assert verdict(**{**started, "running_seconds": 599}) is Verdict.UNKNOWN
    assert verdict(**{**started, "running_seconds": 600}) is Verdict.ILL
    assert verdict(**{**started, "running_seconds": 599, "backlog": 0}) is Verdict.GOOD
    assert verdict(**{**started, "running_seconds": 599, "errors": 21}) is Verdict.ILL


def test_dead_letters_are_rows_that_came_out() -> None:
    dead = {**STUCK, "requests": 9, "dead": 9}
    assert verdict(**dead, oldest_unacked_seconds=400) is Verdict.GOOD


def test_a_job_that_falls_behind_while_requests_wait_is_ill() -> None:
    behind = {"oldest_unacked_seconds": 700, "lag_seconds": 700, "lag_before": 400}
    assert verdict(**behind) is Verdict.ILL


def test_a_job_that_works_off_a_backlog_is_well() -> None:
    catching_up = {"oldest_unacked_seconds": 7_000, "lag_seconds": 7_000, "lag_before": 9_000}
    assert verdict(**catching_up) is Verdict.GOOD


def test_a_lag_that_was_never_known_before_is_no_clear_breach() -> None:
    assert verdict(oldest_unacked_seconds=7_000, lag_seconds=7_000) is Verdict.GOOD


def test_a_lag_within_the_limit_is_well() -> None:
    within = {"oldest_unacked_seconds": 500, "lag_seconds": 600, "lag_before": 500}
    assert verdict(**within) is Verdict.GOOD


@pytest.mark.parametrize("unread", [{"requests": None, "rows_out": None}, {"dead": None}])
def test_counters_that_could_not_be_read_are_unknown(unread: dict[str, None]) -> None:
    assert verdict(**unread) is Verdict.UNKNOWN


def test_a_single_reading_tells_of_no_flow() -> None:
    assert verdict(seconds=0, requests=0, rows_out=0) is Verdict.UNKNOWN


def test_a_job_that_could_not_be_read_is_of_unknown_health() -> None:
    assert diagnose(None, LIMITS).verdict is Verdict.UNKNOWN


def test_a_limit_that_is_clearly_broken_is_ill_whatever_else_is_unknown() -> None:
    assert verdict(requests=None, dead=None, rows_out=None, errors=30) is Verdict.ILL


def test_each_limit_that_is_broken_is_named_with_its_figures() -> None:
    found = diagnose(Health(600, 600, requests=100, dead=30, errors=40), LIMITS)
    assert found.reasons == (
        "30 of 100 requests became dead letters (30.0%; at most 5.0%)",
        "40 error messages (at most 20)",
    )


_count = st.none() | st.integers(0, 10_000)
_age = st.none() | st.floats(0, 1e6)


@given(
    st.builds(
        Health,
        seconds=st.floats(0, 1e5),
        running_seconds=st.floats(0, 1e5),
        requests=_count,
        dead=_count,
        rows_out=_count,
        errors=_count,
        backlog=_count,
        backlog_before=_count,
        oldest_unacked_seconds=_age,
        lag_seconds=_age,
        lag_before=_age,
    )
)
def test_whatever_is_known_there_is_a_verdict_with_reasons(health: Health) -> None:
    found = diagnose(health, LIMITS)
    assert found.reasons
    assert str(found)
    if not health.requests and not health.errors and not health.backlog:
        assert found.verdict is not Verdict.ILL or health.oldest_unacked_seconds


@pytest.mark.parametrize("missing", ["requests", "dead", "rows_out", "errors", "backlog"])
def test_what_is_not_known_makes_no_job_ill(missing: str) -> None:
    assert verdict(**{missing: None}) is not Verdict.ILL


def test_a_model_that_it_could_not_load_makes_a_job_ill() -> None:
    assert verdict(models_refused=1) is Verdict.ILL
    assert verdict(models_refused=0) is Verdict.GOOD
