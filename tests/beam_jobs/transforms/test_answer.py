"""Answers to requests that are written."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from beam_jobs.rows import DeadRow
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.transforms.answer import Answer
from beam_jobs.transforms.elements import ScoredRequests
from tests.support.live_tables import a_micro_batch


def answers(batch: ScoredRequests) -> list[tuple[dict[str, Any], dict[str, str]]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return [
        (json.loads(message.data, parse_constant=refuse), message.attributes)
        for message in Answer().process(batch)
    ]


def test_a_scored_request_is_answered_with_its_prediction() -> None:
    batch = a_micro_batch([7.5, 8.25])
    first, second = answers(batch)
    scored_at = batch.scored_at.isoformat()
    assert first == (
        {
            "request_id": "r0",
            "status": "scored",
            "weight": 7.5,
            "model_version": "v1",
            "scored_at": scored_at,
        },
        {"request_id": "r0", "status": "scored"},
    )
    assert second[0]["weight"] == 8.25


def test_a_dead_letter_is_answered_with_its_reason() -> None:
    row = DeadRow(
        Stage.VALIDATE, ErrorCode.OUT_OF_RANGE, "weeks: 99 is too much", b"99", 1, "weeks"
    )
    _, dead = answers(a_micro_batch([7.5], [row]))
    assert dead == (
        {
            "request_id": "r1",
            "status": "dead_letter",
            "error_code": "out_of_range",
            "error_field": "weeks",
            "error_message": "weeks: 99 is too much",
        },
        {"request_id": "r1", "status": "dead_letter"},
    )


@pytest.mark.parametrize(
    ("weight", "written"),
    [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (None, None)],
)
def test_a_prediction_that_is_no_number_is_answered_as_json_can(
    weight: float | None, written: str | None
) -> None:
    ((body, _),) = answers(a_micro_batch([weight]))
    assert body["weight"] == written
