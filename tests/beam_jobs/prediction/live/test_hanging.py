"""A model that hangs costs a worker process, and in the end the one request that hangs it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beam_jobs.objects import open_objects
from beam_jobs.prediction.live.giving_up import EXIT_CODE, try_for
from beam_jobs.prediction.live.suspects import HungCall
from beam_jobs.runs.streaming import StreamingPlan
from tests.support.live_requests import a_live_plan
from tests.support.local_cloud import ROOT

WEEKS = ("20", "30", "99", "40")
"""The third never gets an answer."""


def run_worker(plan: StreamingPlan, folder: Path) -> subprocess.CompletedProcess[str]:
    plan_file = folder / "plan.json"
    plan_file.write_text(plan.model_dump_json())
    command = [sys.executable, "-m", "tests.support.score_live", str(plan_file), *WEEKS]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def hung_calls(plan: StreamingPlan) -> list[HungCall]:
    objects = open_objects(plan.root)
    found = objects.list(f"{plan.root}/suspects/{plan.revision}/")
    return [HungCall.model_validate_json(objects.read(info.uri)) for info in found]


def test_a_request_that_hangs_the_model_costs_two_workers_and_is_a_dead_letter_of_the_third(
    tmp_path: Path,
) -> None:
    plan = a_live_plan(tmp_path, model_timeout_seconds=0.5, max_attempts=1)

    merged = run_worker(plan, tmp_path)
    assert merged.returncode == EXIT_CODE
    assert "the model did not answer a call of 4 request(s) within 0.5 s" in merged.stderr
    (first,) = hung_calls(plan)
    assert [request.message_id for request in first.requests] == ["m0", "m1", "m2", "m3"]

    alone = run_worker(plan, tmp_path)
    assert alone.returncode == EXIT_CODE
    (suspect,) = [call for call in hung_calls(plan) if call.alone]
    assert suspect.requests == (("m2", 0),)

    third = run_worker(plan, tmp_path)
    assert third.returncode == 0, third.stderr
    told = json.loads(third.stdout)
    assert told["weights"] == [4.0, 6.0, 8.0]
    assert told["positions"] == [0, 1, 3]
    (dead,) = told["dead"]
    assert dead["stage"] == "predict"
    assert dead["error_code"] == "prediction_timeout"
    assert dead["error_message"] == (
        "the model did not answer this request alone within 0.5 s, 1 time(s)"
    )
    assert (dead["payload"], dead["position"]) == ("m2", 2)
    assert len(hung_calls(plan)) == 2


def test_the_worker_ends_even_when_its_suspects_cannot_be_recorded(tmp_path: Path) -> None:
    plan = a_live_plan(tmp_path, model_timeout_seconds=0.5)
    Path(plan.root).write_bytes(b"a file where the folder should be")

    worker = run_worker(plan, tmp_path)

    assert worker.returncode == EXIT_CODE
    assert "recording the suspects failed" in worker.stderr


def test_an_action_that_hangs_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    try_for(0.05, lambda: time.sleep(5), "waiting")
    assert time.monotonic() - began < 4
    assert "waiting takes longer than 0.05 s" in caplog.text
