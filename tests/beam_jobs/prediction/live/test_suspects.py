"""What is done with a request follows from the calls that hung with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from beam_jobs.prediction.live.suspects import (
    HungCall,
    RequestKey,
    Suspicion,
    Treatment,
    suspects_of,
    treatment,
)

A, B, C = (RequestKey(name, 0) for name in "abc")


def hung(*requests: RequestKey) -> HungCall:
    return HungCall(hung_at=datetime(2026, 1, 1, tzinfo=UTC), seconds=60, requests=requests)


@pytest.mark.parametrize(
    ("suspicion", "max_attempts", "done"),
    [
        (None, 1, Treatment.MERGE),
        (None, 3, Treatment.MERGE),
        (Suspicion(in_company=1), 1, Treatment.CALL_ALONE),
        (Suspicion(in_company=20), 3, Treatment.CALL_ALONE),
        (Suspicion(alone=1), 1, Treatment.GIVE_UP),
        (Suspicion(alone=1, in_company=1), 1, Treatment.GIVE_UP),
        (Suspicion(alone=1, in_company=1), 3, Treatment.CALL_ALONE),
        (Suspicion(alone=2, in_company=5), 3, Treatment.CALL_ALONE),
        (Suspicion(alone=3), 3, Treatment.GIVE_UP),
        (Suspicion(alone=4, in_company=1), 3, Treatment.GIVE_UP),
    ],
)
def test_a_request_is_treated_by_what_is_known_of_it(
    suspicion: Suspicion | None, max_attempts: int, done: Treatment
) -> None:
    assert treatment(suspicion, max_attempts) is done


def test_each_request_of_a_call_that_hung_is_a_suspect() -> None:
    assert suspects_of([hung(A, B), hung(B, C)]) == {
        A: Suspicion(in_company=1),
        B: Suspicion(in_company=2),
        C: Suspicion(in_company=1),
    }


def test_a_call_of_one_request_counts_against_it_alone() -> None:
    assert suspects_of([hung(A, B), hung(A), hung(A)])[A] == Suspicion(alone=2, in_company=1)


def test_lines_of_one_message_are_requests_of_their_own() -> None:
    other_line = RequestKey("a", 1)
    assert other_line not in suspects_of([hung(A)])


def test_a_hung_call_reads_back_as_it_was_written() -> None:
    call = hung(A, RequestKey("b", 7))
    assert HungCall.model_validate_json(call.model_dump_json()) == call
