"""The server over HTTP, with a model of each kind: predictions, refusals, metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.prediction.models import Model
from examples.babyweight.births import FEATURES, load_births
from tests.support.prediction_server import PredictionServer

INSTANCES: list[Any] = load_births()[FEATURES].head(500).to_dict("records")
SCHEMA = pa.schema(
    [
        ("is_male", pa.string()),
        ("mother_age", pa.float64()),
        ("plurality", pa.string()),
        ("gestation_weeks", pa.float64()),
    ]
)


@pytest.fixture(scope="module")
def server(
    kind_folder: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PredictionServer]:
    server = PredictionServer(kind_folder, tmp_path_factory.mktemp("server") / "log").start()
    yield server
    server.end()


def test_predictions_are_the_models_own_in_the_order_of_the_instances(
    server: PredictionServer, kind_model: Model
) -> None:
    expected = kind_model.predict(pa.RecordBatch.from_pylist(INSTANCES, SCHEMA))
    assert server.predictions(INSTANCES) == expected.to_pylist()


def test_each_prediction_repeats_its_instances_key(server: PredictionServer) -> None:
    keyed = [{"id": f"birth-{n}", **instance} for n, instance in enumerate(INSTANCES)]
    predictions = server.predictions(keyed, key="id")
    assert [p.pop("id") for p in predictions] == [k["id"] for k in keyed]
    assert predictions == server.predictions(INSTANCES)


def test_the_answer_says_which_model_it_is_of(server: PredictionServer, kind_model: Model) -> None:
    answer = server.predict({"instances": INSTANCES[:1]})
    manifest = kind_model.manifest
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["model"] == {
        "name": "babyweight",
        "version": manifest.version,
        "sha256": manifest.sha256,
    }


def test_a_wrong_value_is_refused_with_its_instance_field_and_remedy(
    server: PredictionServer,
) -> None:
    answer = server.predict({"instances": [*INSTANCES[:3], {**INSTANCES[3], "mother_age": "30"}]})
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": 400,
        "message": "instances[3].mother_age: the string '30' is no float. Remedy: send a number",
        "problems": [
            {
                "message": "the string '30' is no float",
                "remedy": "send a number",
                "instance": 3,
                "field": "mother_age",
            }
        ],
    }


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"instances": NaN}', b"\xff", b"[" * 3_000])
def test_a_body_that_is_no_request_is_refused(server: PredictionServer, body: bytes) -> None:
    answer = server.predict(body)
    assert answer.status_code == 400
    assert 'Remedy: send an object such as {"instances"' in answer.json()["error"]["message"]


def test_a_request_beyond_the_limit_is_refused_announced_or_not(server: PredictionServer) -> None:
    large = b" " * 1_572_865
    assert server.predict(large).status_code == 413
    chunked = server.session.post(server.url + "/predict", data=iter([large[:1_000_000]] * 2))
    assert chunked.status_code == 413
    assert "Remedy: send its instances in several requests" in chunked.text
    assert server.predict(large[:1_572_864]).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("POST", "/health", 405), ("POST", "/v1/predict", 404)],
)
def test_other_routes_and_methods_are_refused_with_those_there_are(
    server: PredictionServer, method: str, path: str, status: int
) -> None:
    answer = server.session.request(method, server.url + path)
    assert answer.status_code == status
    assert "Remedy: POST to /predict, GET /health" in answer.json()["error"]["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
INSTANCE = st.fixed_dictionaries({}, optional=dict.fromkeys([*FEATURES, "id", "x"], JSON))
PLAUSIBLE = st.fixed_dictionaries(
    {
        "is_male": st.sampled_from(["True", "Unknown", "?", "", None]),
        "plurality": st.sampled_from(["Single(1)", "Twins(2)", "\x00", None]),
        "mother_age": st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.none(),
        "gestation_weeks": st.integers(17, 47) | st.none(),
    }
)


@settings(max_examples=60)
@given(
    instances=st.lists(PLAUSIBLE | INSTANCE | JSON, max_size=4) | JSON,
    parameters=st.sampled_from([None, {}, {"key": "id"}]) | JSON,
)
def test_whatever_is_sent_the_server_never_fails(
    server: PredictionServer, instances: Any, parameters: Any
) -> None:
    body = json.dumps({"instances": instances, "parameters": parameters}).encode()
    answer = server.predict(body)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert len(answer.json()["predictions"]) == len(instances)


def test_metrics_count_requests_instances_and_seconds(
    server: PredictionServer,
) -> None:
    before = _counts(server)
    server.predictions(INSTANCES[:7])
    server.predict(b"{")
    after = _counts(server)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown['nightstream_predict_requests_total{code="200"}'] == 1
    assert grown['nightstream_predict_requests_total{code="400"}'] == 1
    assert grown["nightstream_predict_instances_total"] == 7
    assert grown["nightstream_predict_seconds_count"] == 2
    assert any(
        name.startswith("nightstream_model_info{") and 'version="v1"' in name for name in after
    )


def _counts(server: PredictionServer) -> dict[str, float]:
    lines = [line for line in server.metrics().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
