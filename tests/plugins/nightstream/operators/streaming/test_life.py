"""The life of a real streaming job, with an Airflow that is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import psutil
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from nightstream.lifecycle.actions import Drain, Launch, Nothing
from tests.plugins.nightstream.operators.streaming.conftest import Streaming
from tests.support.dataflow_cloud import eventually
from tests.support.local_cloud import PROJECT, ROOT
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.turns import DagRun

_ACT = """
import json, sys
import tests.support.airflow
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.streaming_dag import streaming_dag
from tests.support.turns import DagRun, Task

spec, environment, decided = json.load(sys.stdin)
dag = streaming_dag(ServiceSpec.model_validate(spec), EnvironmentSpec.model_validate(environment))
Task(dag.get_task("act"), DagRun(xcoms={("decide", "return_value"): decided})).finish()
"""
_PATIENCE_S = 120


def act_until_it_launches(service: Streaming, run: DagRun) -> None:
    """The task `act` in a process of its own, killed as soon as its launcher runs."""
    parts = [
        service.spec.model_dump(mode="json"),
        service.environment.model_dump(mode="json"),
        run.xcoms["decide", "return_value"],
    ]
    worker = subprocess.Popen(
        [sys.executable, "-c", _ACT],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/plugins"},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(parts))
    worker.stdin.close()
    process, deadline = psutil.Process(worker.pid), time.monotonic() + _PATIENCE_S
    while not any("beam_jobs.streaming" in child.cmdline() for child in process.children()):
        assert worker.poll() is None, "the task ended before it launched"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    worker.kill()
    worker.wait()


def until(service: Streaming, state: str) -> str:
    """Rounds until the only job is in that state; its id."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        service.round()
        if state in (jobs := service.jobs).values():
            [job_id] = jobs
            return job_id
        assert time.monotonic() < deadline, jobs
        time.sleep(0.5)


def shown(service: Streaming) -> dict[str, list[str]]:
    """The ids of requests in each unique view."""
    tables = f"{service.environment.bigquery.dataset}.{service.spec.service}"
    client = bigquery.Client(PROJECT, AnonymousCredentials())
    return {
        kind: [
            row.request_id
            for row in client.query_and_wait(f"SELECT request_id FROM {tables}_{kind}_live_unique")
        ]
        for kind in ("predictions", "dead_letters")
    }


def test_a_job_whose_launch_was_cut_off_is_found_scores_and_is_drained_once(
    service: Streaming, pubsub: PubsubEmulator
) -> None:
    first = service.run()
    assert isinstance(service.decided(first).decision.action, Launch)
    act_until_it_launches(service, first)
    with pytest.raises(AirflowFailException, match="nothing was done"):
        service.task("act", first).finish()
    job_id = until(service, "RUNNING")

    assert service.spec.streaming
    topic = f"projects/{PROJECT}/topics/{service.spec.streaming.topic}"
    publisher = pubsub.publisher()
    for name, payload in (("a", b'{"id": "a", "weeks": 40}'), ("b", b"not JSON")):
        publisher.publish(topic, payload, request_id=name).result(30)
    eventually(lambda: shown(service) == {"predictions": ["a"], "dead_letters": ["b"]})

    suspend = service.run(action="suspend")
    assert service.decided(suspend).decision.action == Drain(job_id)
    service.finish(suspend)
    with pytest.raises(AirflowFailException, match="nothing was done"):
        service.task("act", suspend).finish()
    assert until(service, "DRAINED") == job_id
    assert isinstance(service.decided(service.run()).decision.action, Nothing)
