"""Each failure is read as what is done about it."""

from __future__ import annotations

import email.utils
import json
import time

import pytest
import requests
from google.auth.exceptions import RefreshError, TransportError
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.remote.failures import Kind, failure_of_exception, failure_of_status
from beam_jobs.runs.dead_letter import ErrorCode


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Kind.BUSY) for status in (429, 502, 503, 504)),
        (500, Kind.BROKEN),
        *((status, Kind.REFUSED) for status in (400, 413)),
        *((status, Kind.DENIED) for status in (302, 401, 403, 404, 501)),
    ],
)
def test_a_status_is_of_one_kind(status: int, kind: Kind) -> None:
    failure = failure_of_status(status, {}, b"why")
    assert failure.kind is kind
    assert failure.message == f"HTTP {status}: why"
    assert (failure.remedy is not None) == (kind is Kind.DENIED)


@given(st.integers(100, 599).filter(lambda status: status != 200), st.binary(max_size=2_000))
def test_any_answer_can_be_read_and_its_message_is_short(status: int, body: bytes) -> None:
    assert len(failure_of_status(status, {}, body).message) < 400


def test_retry_after_is_read_in_seconds_and_as_a_date() -> None:
    assert failure_of_status(503, {"Retry-After": "7"}, b"").retry_after == 7
    soon = email.utils.formatdate(time.time() + 100, usegmt=True)
    wait = failure_of_status(429, {"Retry-After": soon}, b"").retry_after
    assert wait is not None
    assert 50 < wait <= 100
    assert failure_of_status(429, {"Retry-After": "soon"}, b"").retry_after is None


def test_an_endpoint_without_a_model_is_no_fault_of_the_instances() -> None:
    error = {"code": 400, "status": "FAILED_PRECONDITION", "message": "no traffic_split"}
    failure = failure_of_status(400, {}, json.dumps({"error": error}).encode())
    assert failure.kind is Kind.DENIED
    assert "deploy a model" in (failure.remedy or "")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectionError("refused"), Kind.BUSY),
        (requests.ConnectTimeout("slow"), Kind.BUSY),
        (requests.exceptions.ChunkedEncodingError("broken off"), Kind.BUSY),
        (requests.ReadTimeout("slow"), Kind.BROKEN),
        (requests.ConnectionError("HTTPConnectionPool: Read timed out."), Kind.BROKEN),
        (TransportError("no metadata server"), Kind.BUSY),
        (RefreshError("later", retryable=True), Kind.BUSY),
        (RefreshError("account disabled"), Kind.DENIED),
    ],
)
def test_an_exception_is_of_one_kind(error: Exception, kind: Kind) -> None:
    failure = failure_of_exception(error)
    assert failure is not None
    assert failure.kind is kind


def test_a_call_that_takes_too_long_has_a_code_of_its_own() -> None:
    failure = failure_of_exception(requests.ReadTimeout("slow"))
    assert failure is not None
    assert failure.code is ErrorCode.PREDICTION_TIMEOUT


def test_a_mistake_of_our_own_is_no_failure_of_the_endpoint() -> None:
    assert failure_of_exception(ValueError("ours")) is None
