"""A model that hangs costs a worker process, and in the end the one request that hangs it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from beam_jobs.objects import open_objects
from beam_jobs.prediction.live.giving_up import EXIT_CODE, try_for
from beam_jobs.prediction.live.suspects import HungCall
from beam_jobs.runs.streaming import StreamingPlan
from tests.support.live_requests import a_live_plan
from tests.support.score_live import score_in_worker

WEEKS = (20, 30, 99, 40)
"""The third never gets an answer."""


def hung_calls(plan: StreamingPlan) -> list[HungCall]:
    objects = open_objects(plan.root)
    found = objects.list(f"{plan.root}/suspects/{plan.revision}/")
    return [HungCall.model_validate_json(objects.read(info.uri)) for info in found]


def test_a_request_that_hangs_the_model_costs_two_workers_and_is_a_dead_letter_of_the_third(
    tmp_path: Path,
) -> None:
    plan = a_live_plan(tmp_path, model_timeout_seconds=0.5, max_attempts=1)

    merged = score_in_worker(plan, WEEKS, tmp_path)
    assert merged.exit_code == EXIT_CODE
    assert "the model did not answer a call of 4 request(s) within 0.5 s" in merged.log
    (first,) = hung_calls(plan)
    assert [request.message_id for request in first.requests] == ["m0", "m1", "m2", "m3"]

    alone = score_in_worker(plan, WEEKS, tmp_path)
    assert alone.exit_code == EXIT_CODE
    (suspect,) = [call for call in hung_calls(plan) if call.alone]
    assert suspect.requests == (("m2", 0),)

    third = score_in_worker(plan, WEEKS, tmp_path)
    assert third.exit_code == 0, third.log
    assert third.scored is not None
    assert third.scored["weights"] == [4.0, 6.0, 8.0]
    assert third.scored["positions"] == [0, 1, 3]
    (dead,) = third.scored["dead"]
    assert (dead["stage"], dead["error_code"]) == ("predict", "prediction_timeout")
    assert dead["error_message"] == (
        "the model did not answer this request alone within 0.5 s, 1 time(s)"
    )
    assert (dead["payload"], dead["position"]) == ("m2", 2)
    assert len(hung_calls(plan)) == 2


def test_a_request_may_hang_the_model_alone_as_often_as_the_spec_says(tmp_path: Path) -> None:
    plan = a_live_plan(tmp_path, model_timeout_seconds=0.2, max_attempts=2)
    ends = [score_in_worker(plan, [99], tmp_path) for _ in range(3)]
    assert [end.exit_code for end in ends] == [EXIT_CODE, EXIT_CODE, 0]
    assert ends[2].scored is not None
    assert "2 time(s)" in ends[2].scored["dead"][0]["error_message"]


def test_the_worker_ends_even_when_its_suspects_cannot_be_recorded(tmp_path: Path) -> None:
    plan = a_live_plan(tmp_path, model_timeout_seconds=0.2)
    Path(plan.root).write_bytes(b"a file where the folder should be")

    worker = score_in_worker(plan, WEEKS, tmp_path)

    assert worker.exit_code == EXIT_CODE
    assert "recording the suspects failed" in worker.log


def test_an_action_that_hangs_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    try_for(0.05, lambda: time.sleep(5), "waiting")
    assert time.monotonic() - began < 4
    assert "waiting takes longer than 0.05 s" in caplog.text
