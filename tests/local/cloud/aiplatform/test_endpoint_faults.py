"""Endpoints that misbehave because a test asked for it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import requests
from google.cloud import aiplatform

from local.cloud.aiplatform.prediction.corruption import corrupted
from tests.support.vertex_cloud import VertexCloud

INSTANCES = [{"x": 1, "id": "a"}, {"x": 2, "id": "b"}, {"x": 3, "id": "c"}]
PREDICTIONS = [{"twice": 2}, {"twice": 4}, {"twice": 6}]

pytestmark = pytest.mark.usefixtures("vertex")


@pytest.fixture(scope="module")
def endpoint(vertex_cloud: VertexCloud) -> aiplatform.Endpoint:
    vertex_cloud.point_sdk_here()
    endpoint = vertex_cloud.endpoint()
    endpoint.deploy(vertex_cloud.upload(), machine_type="m")
    return endpoint


def asked(vertex: VertexCloud, endpoint: aiplatform.Endpoint) -> requests.Response:
    return vertex.raw_predict(endpoint, {"instances": INSTANCES})


def test_an_error_may_say_when_to_try_again(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint
) -> None:
    vertex.server.inject(
        kind="error", path=":rawPredict$", code=429, retry_after=7, share=0.3, seed=1
    )
    answers = [asked(vertex, endpoint) for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 3 < len(refused) < 20
    assert {answer.headers["retry-after"] for answer in refused} == {"7"}
    assert refused[0].json()["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_a_fault_may_strike_the_requests_that_hold_one_instance(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint
) -> None:
    vertex.server.inject(kind="error", path=":rawPredict$", code=500, body='"id": "b"')
    assert asked(vertex, endpoint).status_code == 500
    good = vertex.raw_predict(endpoint, {"instances": [INSTANCES[0], INSTANCES[2]]})
    assert good.json()["predictions"] == [PREDICTIONS[0], PREDICTIONS[2]]
    assert vertex.server.injections() == 1


def test_a_token_may_expire(vertex: VertexCloud, endpoint: aiplatform.Endpoint) -> None:
    vertex.server.inject(kind="error", path=":rawPredict$", code=401, times=1)
    answers = [asked(vertex, endpoint) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert answers[0].json()["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("fault", [{"kind": "hang"}, {"kind": "reset"}])
def test_an_answer_may_never_come(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint, fault: dict[str, Any]
) -> None:
    vertex.server.inject(path=":rawPredict$", times=1, **fault)
    url = f"{vertex.server.url}/v1/{endpoint.resource_name}:rawPredict"
    with pytest.raises((requests.ReadTimeout, requests.ConnectionError)):
        requests.post(url, json={"instances": INSTANCES}, timeout=0.5)
    assert asked(vertex, endpoint).ok


def test_an_answer_may_be_late(vertex: VertexCloud, endpoint: aiplatform.Endpoint) -> None:
    vertex.server.inject(kind="latency", path=":predict$", seconds=0.3)
    assert len(endpoint.predict(INSTANCES).predictions) == 3
    assert vertex.server.injections() == 1


def test_a_prediction_may_be_missing(vertex: VertexCloud, endpoint: aiplatform.Endpoint) -> None:
    vertex.server.inject(kind="corrupt", path="redict$", answer="short")
    answer = asked(vertex, endpoint).json()
    assert (answer["predictions"], answer["keys"]) == (PREDICTIONS[:2], ["a", "b"])
    assert len(endpoint.predict(INSTANCES).predictions) == 2


def test_predictions_may_come_in_another_order_with_their_keys(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint
) -> None:
    vertex.server.inject(kind="corrupt", path=":rawPredict$", answer="reordered", times=1)
    answer = asked(vertex, endpoint).json()
    assert (answer["predictions"], answer["keys"]) == (PREDICTIONS[::-1], ["c", "b", "a"])
    assert asked(vertex, endpoint).json()["keys"] == ["a", "b", "c"]


def test_a_prediction_may_be_nan(vertex: VertexCloud, endpoint: aiplatform.Endpoint) -> None:
    vertex.server.inject(kind="corrupt", path=":rawPredict$", answer="nan", times=1)
    first, *others = asked(vertex, endpoint).json()["predictions"]
    assert math.isnan(first["twice"])
    assert others == PREDICTIONS[1:]


def test_an_answer_may_be_an_html_page(vertex: VertexCloud, endpoint: aiplatform.Endpoint) -> None:
    vertex.server.inject(kind="corrupt", path=":rawPredict$", answer="html", times=1)
    answer = asked(vertex, endpoint)
    assert (answer.status_code, answer.text[:15]) == (200, "<!DOCTYPE html>")
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "corrupt", "path": "/"}, "says what becomes of the `answer`"),
        ({"kind": "corrupt", "path": "/", "answer": "long"}, "there are short, reordered"),
        ({"kind": "corrupt", "path": "/", "answer": "nan", "code": 500}, "code means nothing"),
        ({"kind": "latency", "path": "/", "retry_after": 1}, "retry_after means nothing"),
        ({"kind": "error", "path": "/", "body": "("}, "not a regular expression"),
    ],
)
def test_a_fault_of_endpoints_that_is_none_is_refused(
    vertex: VertexCloud, fault: dict[str, Any], message: str
) -> None:
    answer = vertex.post("/_local/faults", json.dumps(fault).encode())
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("how", "answer", "expected"),
    [
        ("nan", {"predictions": []}, {"predictions": []}),
        ("nan", {"predictions": ["a", [True, 2]]}, {"predictions": ["a", [True, math.nan]]}),
        ("short", {"predictions": [], "model": "m"}, {"predictions": [], "model": "m"}),
        ("reordered", {"error": {"code": 500}}, {"error": {"code": 500}}),
    ],
)
def test_an_answer_without_what_would_go_wrong_stays(
    how: str, answer: dict[str, Any], expected: dict[str, Any]
) -> None:
    body, content_type = corrupted(how, json.dumps(answer).encode())
    assert body == json.dumps(expected).encode()
    assert content_type == "application/json"


def test_an_answer_that_is_no_json_stays_as_it_is() -> None:
    assert corrupted("short", b"no json")[0] == b"no json"
