"""The demo's books of the streaming job close when, and only when, every request is where it
belongs."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from examples.babyweight.requests import RequestFile, make_requests
from examples.demo.metrics import JobMetrics
from examples.demo.streaming_books import FoundRequests, differences, request_ids

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sent() -> RequestFile:
    return make_requests(60, broken=1)


@pytest.fixture
def ids(sent: RequestFile) -> list[str]:
    return request_ids("r", len(sent.payloads))


@pytest.fixture
def found(sent: RequestFile, ids: list[str]) -> FoundRequests:
    """All requests where they belong."""
    return FoundRequests(
        scored=tuple(
            prediction(name, after_ms=index)
            for index, name in enumerate(ids)
            if index not in sent.broken
        ),
        dead=tuple(
            {"request_id": ids[index], "error_code": str(code), "payload": sent.payloads[index]}
            for index, code in sent.broken.items()
        ),
    )


@pytest.fixture
def metrics(sent: RequestFile) -> JobMetrics:
    """All requests counted."""
    dead = {f"dead_{code}": count for code, count in sent.dead.items()}
    counters = {
        "requests": len(sent.payloads),
        "scored": sent.scored,
        "dead": len(sent.broken),
        **dead,
    }
    return JobMetrics(counters, {}, {})


def prediction(request_id: str, after_ms: int = 0) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "weight_pounds": 7.0,
        "predicted_weight_pounds": 7.5,
        "model_version": "v1",
        "published_at": NOON,
        "scored_at": NOON + timedelta(milliseconds=after_ms),
    }


def test_books_that_close_show_no_difference(
    sent: RequestFile, ids: list[str], found: FoundRequests, metrics: JobMetrics
) -> None:
    assert differences(sent, ids, found, metrics) == []


def test_a_lost_prediction_and_a_lost_dead_letter_are_named(
    sent: RequestFile, ids: list[str], found: FoundRequests, metrics: JobMetrics
) -> None:
    lost = FoundRequests(found.scored[1:], found.dead[1:])
    assert differences(sent, ids, lost, metrics) == [
        f"1 requests are not among the predictions: {found.scored[0]['request_id']} …",
        f"1 requests are not among the dead letters: {found.dead[0]['request_id']} …",
    ]


def test_a_prediction_told_twice_or_of_a_stranger_is_named(
    sent: RequestFile, ids: list[str], found: FoundRequests, metrics: JobMetrics
) -> None:
    more = replace(found, scored=(*found.scored, found.scored[0], prediction("stranger")))
    [told] = differences(sent, ids, more, metrics)
    assert told.startswith("2 rows too many are among the predictions: ")


@pytest.mark.parametrize("wrong", [{"error_code": "unreadable"}, {"payload": b"changed"}])
def test_a_dead_letter_with_another_reason_or_payload_is_named(
    sent: RequestFile,
    ids: list[str],
    found: FoundRequests,
    metrics: JobMetrics,
    wrong: dict[str, Any],
) -> None:
    changed = replace(found, dead=({**found.dead[0], **wrong}, *found.dead[1:]))
    [told] = differences(sent, ids, changed, metrics)
    assert told.startswith(f"the dead letter of {found.dead[0]['request_id']} is ")


def test_metrics_that_count_otherwise_are_named(
    sent: RequestFile, ids: list[str], found: FoundRequests, metrics: JobMetrics
) -> None:
    counters = {**metrics.counters, "requests": 61, "dead_not_json": 2}
    total, dead = differences(sent, ids, found, JobMetrics(counters, {}, {}))
    assert "'requests': 61" in total
    assert "'not_json': 2" in dead


def test_a_second_model_version_or_poor_predictions_are_named(
    sent: RequestFile, ids: list[str], found: FoundRequests, metrics: JobMetrics
) -> None:
    poor = tuple({**row, "predicted_weight_pounds": 9.0} for row in found.scored)
    mixed = ({**poor[0], "model_version": "v2"}, *poor[1:])
    versions, rmse = differences(sent, ids, replace(found, scored=mixed), metrics)
    assert "['v1', 'v2']" in versions
    assert rmse.startswith("RMSE 2.0 lb")


def test_nothing_found_is_told_and_is_no_error(
    sent: RequestFile, ids: list[str], metrics: JobMetrics
) -> None:
    nothing = FoundRequests((), ())
    assert math.isnan(nothing.rmse)
    assert len(differences(sent, ids, nothing, metrics)) == 4


def test_latencies_are_of_the_requests_that_are_asked_for(found: FoundRequests) -> None:
    late = prediction("first-0", after_ms=9_000)
    both = replace(found, scored=(late, *found.scored))
    assert both.milliseconds("first-") == [9_000]
    rest = both.milliseconds("r")
    assert len(rest) == len(found.scored)
    assert rest == sorted(rest)
