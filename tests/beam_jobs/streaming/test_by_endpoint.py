"""Streaming by an endpoint: nothing is lost, good requests keep flowing, poison is set aside."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from beam_jobs.runs.plan import EndpointPin
from tests.support.dataflow_cloud import eventually
from tests.support.endpoint_server import (
    NAME,
    Answer,
    EndpointServer,
    Instance,
    always,
    endpoint_server,
    google_error,
    hanging,
    poisoned,
    sometimes,
)
from tests.support.live_service import LiveService
from tests.support.local_cloud import ROOT, WORKER_IMAGE, LocalCloud
from tests.support.messages import FIELDS, a_request
from tests.support.models import release
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service

POISON, HANGS = 66.5, 77.5
BUSY = [
    google_error(429, "RESOURCE_EXHAUSTED", "slow down"),
    google_error(503, "UNAVAILABLE", "later", Retry_After="0"),
]
ASKED = {
    "name": "7",
    "most_instances": 16,
    "concurrency": 4,
    "timeout_seconds": 0.4,
    "retry_seconds": 3,
    "max_attempts": 2,
}


class Running(NamedTuple):
    server: EndpointServer
    service: LiveService

    def send(self, weeks: Sequence[float]) -> list[str]:
        prefix = uuid.uuid4().hex[:8]
        ids = [f"{prefix}-{number}" for number in range(len(weeks))]
        self.service.publish([a_request(w) for w in weeks], [{"rid": rid} for rid in ids])
        return ids

    def rows(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        rows = self.service.rows(self.service.plan.tables.predictions, "*")
        return [row for row in rows if row["request_id"] in ids]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("by_endpoint") / "data"
    image = ("--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}")
    cloud = LocalCloud(data, [*image, "--pubsub", pubsub.host]).start()
    try:
        with endpoint_server(EndpointServer()) as server:
            yield Running(server, _service(cloud, pubsub, server))
    finally:
        cloud.end()


def _service(cloud: LocalCloud, pubsub: PubsubEmulator, server: EndpointServer) -> LiveService:
    spec = a_service(
        "remote",
        input={"fields": FIELDS},
        model={"kind": "vertex_endpoint", "endpoint": ASKED},
        streaming={
            "topic": "remote-in",
            "subscription": "remote-sub",
            "request_id": {"attribute": "rid"},
        },
    )
    pin = EndpointPin(name=NAME, address=server.address)
    service = LiveService(cloud, pubsub, spec, WORKER_IMAGE, endpoint=pin)
    service.create_places()
    release(service.models, "v1", service.objects)
    service.prepare()
    service.start()
    return service


@pytest.fixture(autouse=True)
def healthy(running: Running) -> Iterator[None]:
    yield
    running.server.faults = []


def test_a_busy_endpoint_loses_nothing_and_poison_is_a_dead_letter(running: Running) -> None:
    crash = google_error(500, "INTERNAL", "the container crashed")
    running.server.faults = [poisoned(POISON, crash), hanging(HANGS, 0.8), sometimes(0.3, BUSY)]
    weeks = [float(number % 50) for number in range(120)]
    weeks[40], weeks[80] = POISON, HANGS
    ids = running.send(weeks)
    outcome = running.service.account_for(ids)
    assert outcome.dead == {ids[40]: "prediction_failed", ids[80]: "prediction_timeout"}
    assert {row["request_id"]: row["weight"] for row in running.rows(ids)} == {
        rid: week / 5 for rid, week in zip(ids, weeks, strict=True) if rid not in outcome.dead
    }


@pytest.mark.long
def test_good_requests_keep_flowing_while_the_endpoint_is_busy_for_a_minute(
    running: Running,
) -> None:
    running.server.faults = [sometimes(0.3, BUSY)]
    ids: list[str] = []
    answered: list[int] = []
    until = time.monotonic() + 60
    while time.monotonic() < until:
        ids += running.send([float(number % 50) for number in range(20)])
        time.sleep(1)
        answered.append(len(running.rows(ids)))
    assert running.service.account_for(ids).dead == {}
    still = [earlier for earlier, later in pairwise(answered[10::10]) if later <= earlier]
    assert not still, f"rows by second: {answered}"


@pytest.mark.parametrize(
    "instead",
    [
        google_error(404, "NOT_FOUND", "undeployed"),
        Answer(200, b"<html>who are you?</html>"),
        google_error(503, "UNAVAILABLE", "down"),
    ],
    ids=["undeployed", "HTML", "down"],
)
def test_an_endpoint_that_fails_for_a_while_loses_nothing(
    running: Running, instead: Answer
) -> None:
    running.server.faults = [always(instead)]
    before = len(running.server.requests)
    ids = running.send([float(number) for number in range(30)])
    eventually(lambda: len(running.server.requests) >= before + 3)
    assert running.rows(ids) == []
    running.server.faults = []
    assert running.service.account_for(ids).dead == {}


def test_under_a_traffic_split_each_row_says_which_deployed_model_answered(
    running: Running,
) -> None:
    def answers_of_two(instances: Sequence[Instance], answer: Answer) -> Answer:
        number = 1 + instances[0]["#"] % 2
        predictions = [{**p, "weight": number / 10} for p in answer.body["predictions"]]
        body = {"predictions": predictions, "model": {"version": f"v{number}"}}
        return Answer(200, body, {"x-vertex-ai-deployed-model-id": f"deployed-{number}"})

    running.server.faults = [answers_of_two]
    ids: list[str] = []

    def both() -> bool:
        ids.extend(running.send([1.0] * 20))
        running.service.account_for(ids)
        return len({row["model_version"] for row in running.rows(ids)}) == 2

    eventually(both)
    assert {
        (row["weight"], row["deployed_model_id"], row["model_version"]) for row in running.rows(ids)
    } == {(0.1, "deployed-1", "v1"), (0.2, "deployed-2", "v2")}
