"""A server's life: it loads, answers, is busy, drains, and ends; or is killed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from beam_jobs.objects import Objects
from tests.support.dataflow_cloud import eventually
from tests.support.gated_model import HELD_WEEKS, GatedModel
from tests.support.models import release
from tests.support.prediction_server import PredictionServer

StartServer = Callable[..., PredictionServer]
HELD = {"instances": [{"weeks": HELD_WEEKS}]}
QUICK = {"instances": [{"weeks": 30.0}]}


class Gates:
    """What a gated model waits for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, gate: str) -> None:
        (self.folder / gate).touch()

    def hold(self, server: PredictionServer) -> Future[requests.Response]:
        """A request that the model holds by now."""
        answer = ThreadPoolExecutor(1).submit(server.predict, HELD)
        eventually((self.folder / "held").exists)
        return answer


@pytest.fixture
def gates(tmp_path: Path, root: str, objects: Objects) -> Gates:
    release(root, "v1", objects, model=GatedModel(tmp_path))
    return Gates(tmp_path)


@pytest.fixture
def gated(server_of: StartServer, gates: Gates, root: str) -> PredictionServer:  # noqa: ARG001
    """Answers one request at a time; one more may wait."""
    one = {"NIGHTSTREAM_THREADS": "1", "NIGHTSTREAM_MOST_WAITING": "1"}
    return server_of(f"{root}/v1", **one)


def test_health_says_ready_once_the_model_is_loaded(gated: PredictionServer, gates: Gates) -> None:
    gated.listen()
    assert gated.health().status_code == 503
    assert "the model is being loaded" in gated.predict(QUICK).text
    gates.open("load")
    eventually(lambda: gated.health().status_code == 200)
    assert gated.predict(QUICK).json()["predictions"] == [{"weight": 6.0}]


def test_health_answers_while_the_model_predicts_and_the_queue_is_bounded(
    gated: PredictionServer, gates: Gates
) -> None:
    gates.open("load")
    gated.start()
    held = gates.hold(gated)
    waiting = ThreadPoolExecutor(1).submit(gated.predict, QUICK)
    eventually(lambda: "nightstream_predict_under_way 2.0" in gated.metrics())
    assert gated.health().status_code == 200
    refused = gated.predict(QUICK)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    gates.open("predict")
    assert held.result().status_code == waiting.result().status_code == 200
    assert gated.predict(QUICK).status_code == 200


def test_told_to_end_it_lets_nothing_in_and_finishes_what_is_under_way(
    gated: PredictionServer, gates: Gates
) -> None:
    gates.open("load")
    gated.start()
    held = gates.hold(gated)
    gated.terminate()
    eventually(lambda: gated.health().status_code == 503)
    refused = gated.predict(QUICK)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    gates.open("predict")
    assert held.result().json()["predictions"] == [{"weight": HELD_WEEKS / 5}]
    assert gated.wait() == 0


def test_a_request_that_takes_too_long_does_not_keep_it_from_ending(
    server_of: StartServer, gates: Gates, root: str
) -> None:
    gates.open("load")
    server = server_of(f"{root}/v1", NIGHTSTREAM_DRAIN_SECONDS="1").start()
    held = gates.hold(server)
    assert server.stop() == 1
    assert "1 requests took too long and were given up" in server.log.read_text()
    assert held.result().status_code == 500


def test_killed_in_the_middle_it_gives_no_half_answer(
    gated: PredictionServer, gates: Gates
) -> None:
    gates.open("load")
    gated.start()
    held = gates.hold(gated)
    gated.process.kill()
    with pytest.raises(requests.ConnectionError):
        held.result()


def test_told_to_end_while_it_loads_it_ends(gated: PredictionServer, gates: Gates) -> None:
    gated.listen()
    assert gated.health().status_code == 503
    assert gated.stop() == 0
    assert not (gates.folder / "load").exists()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"NIGHTSTREAM_MODELS": "gs://models"}, "does not lie below gs://models"),
        ({"NIGHTSTREAM_MODEL_SHA256": "0" * 64}, "was not opened"),
        ({"AIP_STORAGE_URI": "nowhere"}, "nowhere/model.json does not exist"),
    ],
)
def test_a_model_that_may_not_be_opened_ends_the_server_with_the_reason(
    server_of: StartServer,
    gates: Gates,  # noqa: ARG001
    root: str,
    variables: dict[str, str],
    message: str,
) -> None:
    server = server_of(f"{root}/v1", **variables).listen()
    assert server.wait() == 1
    assert message in server.log.read_text()
