"""Whose fault an error is: nobody's, a row's, a request's, or the set-up's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from google.api_core.exceptions import from_http_response
from google.auth.exceptions import RefreshError, TransportError

from beam_jobs.inserts.outcomes import (
    Answered,
    Refused,
    RowError,
    Unavailable,
    outcome_of_answer,
    outcome_of_error,
)


def http_error(code: int, reason: str = "", headers: dict[str, str] | None = None) -> Exception:
    """As the client library makes it of an HTTP answer."""
    response = requests.Response()
    response.status_code = code
    response.headers.update(headers or {})
    response.request = requests.Request("POST", "http://bigquery/insertAll").prepare()
    errors = [{"reason": reason, "message": "no"}] if reason else []
    response._content = json.dumps({"error": {"message": "no", "errors": errors}}).encode()
    return from_http_response(response)


def row_error(index: int, reason: str, **more: str) -> dict[str, Any]:
    return {"index": index, "errors": [{"reason": reason, "message": "no", **more}]}


@pytest.mark.parametrize(
    "error",
    [
        *(http_error(code) for code in (408, 409, 429, 500, 501, 502, 503, 504)),
        http_error(403, "rateLimitExceeded"),
        http_error(403, "quotaExceeded"),
        http_error(400, "backendError"),
        requests.ConnectionError("reset by peer"),
        requests.Timeout("read timed out"),
        requests.exceptions.ChunkedEncodingError("broken"),
        TransportError("the metadata server is away"),
        RefreshError("no token"),
        ConnectionResetError(),
    ],
    ids=repr,
)
def test_what_passes_by_itself_is_tried_again(error: Exception) -> None:
    outcome = outcome_of_error(error)
    assert isinstance(outcome, Unavailable)
    assert outcome.remedy is None


@pytest.mark.parametrize(
    ("code", "reason", "remedy"),
    [
        (401, "authError", "credentials"),
        (403, "accessDenied", "roles/bigquery.dataEditor"),
        (404, "notFound", "create the dataset and the table"),
    ],
)
def test_what_somebody_has_to_mend_is_no_rows_fault(code: int, reason: str, remedy: str) -> None:
    outcome = outcome_of_error(http_error(code, reason))
    assert isinstance(outcome, Unavailable)
    assert remedy in (outcome.remedy or "")


@pytest.mark.parametrize("code", [400, 413])
def test_a_request_may_be_refused_as_a_whole(code: int) -> None:
    outcome = outcome_of_error(http_error(code, "invalid"))
    assert isinstance(outcome, Refused)
    assert outcome.error.reason == "invalid"


def test_an_error_of_ours_is_not_read() -> None:
    assert outcome_of_error(TypeError("a bug")) is None


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("0", 0), ("soon", None), ("", None), ("-1", None)]
)
def test_the_wait_that_the_service_asks_for_is_read(value: str, seconds: float | None) -> None:
    outcome = outcome_of_error(http_error(503, headers={"Retry-After": value}))
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after == seconds


def test_the_wait_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    outcome = outcome_of_error(http_error(429, headers={"Retry-After": date}))
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after == pytest.approx(60, abs=5)


def test_rows_that_are_not_named_are_inserted() -> None:
    assert outcome_of_answer([], 3) == Answered({})


def test_bad_rows_are_refused_and_those_they_stopped_are_sent_again() -> None:
    errors = [
        row_error(0, "stopped"),
        row_error(1, "invalid", location="weight"),
        row_error(2, "stopped"),
    ]
    refused = {1: RowError("invalid", "no", "weight")}
    assert outcome_of_answer(errors, 3) == Answered(refused, (0, 2))


def test_a_column_that_the_table_lacks_is_no_rows_fault() -> None:
    entry = {
        "index": 1,
        "errors": [{"reason": "invalid", "location": "new", "message": "no such field: new."}],
    }
    outcome = outcome_of_answer([row_error(0, "stopped"), entry], 2)
    assert isinstance(outcome, Unavailable)
    assert "no such field: new." in outcome.message
    assert "add the column" in (outcome.remedy or "")


def test_a_row_that_is_stopped_and_invalid_is_invalid() -> None:
    entry = {"index": 0, "errors": [{"reason": "stopped"}, {"reason": "invalid", "message": "no"}]}
    assert outcome_of_answer([entry], 1) == Answered({0: RowError("invalid", "no")})


@pytest.mark.parametrize("reason", ["timeout", "backendError", "internalError"])
def test_single_rows_may_fail_for_a_passing_reason(reason: str) -> None:
    assert outcome_of_answer([row_error(1, reason)], 2) == Answered({}, (1,))


def test_an_answer_that_inserts_and_refuses_nothing_is_no_progress() -> None:
    outcome = outcome_of_answer([row_error(0, "stopped"), row_error(1, "timeout")], 2)
    assert isinstance(outcome, Unavailable)
    assert "timeout" in outcome.message


def test_an_error_without_details_is_a_refusal() -> None:
    assert outcome_of_answer([{"index": 0}], 2) == Answered({0: RowError("invalid", "")})
