"""Answers are matched with what was asked, and their delays summed up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.send.answers import SCORED as SCORED_STATUS
from beam_jobs.send.answers import Answer, Ledger, percentile, read_answer
from beam_jobs.transforms import answer

SCORED = {"request_id": "r1", "status": "scored"}
DEAD = {"request_id": "r1", "status": "dead_letter"}


def test_an_answer_is_scored_or_says_why_not() -> None:
    scored = read_answer(SCORED, b'{"predicted_weight_pounds": 7.2}')
    dead = read_answer(DEAD, b'{"error_code": "missing_value"}')
    assert scored is not None
    assert scored.outcome == "scored"
    assert dead is not None
    assert dead.outcome == "missing_value"


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{}", b'{"error_code": 7}', b"null"])
def test_a_dead_letter_without_a_code_is_counted_as_such(data: bytes) -> None:
    found = read_answer(DEAD, data)
    assert found is not None
    assert found.outcome == "dead_letter"


def test_a_message_that_names_no_request_is_no_answer() -> None:
    assert read_answer({"status": "scored"}, b"{}") is None


def test_what_was_asked_is_answered_once_and_strangers_do_not_count() -> None:
    ledger = Ledger()
    ledger.asked(["r1", "r2", "r3"], at=10.0)
    ledger.answered([Answer("r1", "scored"), Answer("stranger", "scored")], at=10.5)
    ledger.answered([Answer("r1", "scored"), Answer("r2", "dead_letter", "not_json")], at=11.0)
    assert not ledger.wait(0)
    summary = ledger.summary()
    assert (summary.asked, summary.answered, summary.unanswered) == (3, 2, 1)
    assert summary.outcomes == {"scored": 1, "not_json": 1}
    assert summary.latencies == [0.5, 1.0]
    ledger.answered([Answer("r3", "scored")], at=12.0)
    assert ledger.wait(0)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], percent: float
) -> None:
    found = percentile(sorted(values), percent)
    needed = len(values) * percent / 100
    assert found in values
    assert sum(value <= found for value in values) >= needed - 1e-9
    assert sum(value < found for value in values) < needed


def test_percentiles_of_a_hundred_values_are_the_values() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_the_sender_speaks_of_answers_as_the_job_does() -> None:
    attributes = {answer.REQUEST_ID: "r1", answer.STATUS: answer.SCORED}
    assert read_answer(attributes, b"{}") == Answer("r1", SCORED_STATUS)
    dead = {**attributes, answer.STATUS: answer.DEAD_LETTER}
    assert dead == DEAD
