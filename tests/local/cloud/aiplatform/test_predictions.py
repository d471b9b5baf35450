"""predict and rawPredict: what goes to a container, and what its client is answered."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.api_core.exceptions import (
    BadRequest,
    InternalServerError,
    ServiceUnavailable,
)
from google.cloud import aiplatform

from tests.support.dataflow_cloud import eventually
from tests.support.vertex_cloud import PLACE, VertexCloud

pytestmark = pytest.mark.usefixtures("vertex")


@pytest.fixture(scope="module")
def endpoint(vertex_cloud: VertexCloud) -> aiplatform.Endpoint:
    """One that serves a model in two versions, half of the traffic each."""
    vertex_cloud.point_sdk_here()
    first = vertex_cloud.upload(
        artifact_uri="gs://scoring-models/weights/v1",
        serving_container_environment_variables={"MARK": "one, $(AIP_MODEL_NAME)"},
    )
    second = vertex_cloud.upload(
        display_name=first.display_name,
        parent_model=first.resource_name,
        serving_container_predict_route=None,
        serving_container_health_route=None,
        serving_container_environment_variables={"MARK": "two"},
    )
    endpoint = vertex_cloud.endpoint()
    endpoint.deploy(first, machine_type="m")
    endpoint.deploy(second, machine_type="m", traffic_percentage=50)
    return endpoint


def test_predict_answers_with_the_predictions_and_who_made_them(
    endpoint: aiplatform.Endpoint,
) -> None:
    answer = endpoint.predict([{"x": 1}, {"x": 2.5}])
    assert answer.predictions == [{"twice": 2.0}, {"twice": 5.0}]
    by_id = {model.id: model for model in endpoint.list_models()}
    deployed = by_id[answer.deployed_model_id]
    assert answer.model_version_id == deployed.model_version_id
    assert answer.model_resource_name == deployed.model


def test_raw_predict_passes_the_body_through_and_says_in_headers_who_answered(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint
) -> None:
    answer = vertex.raw_predict(endpoint, {"instances": [{"x": 1, "id": "a"}]})
    assert answer.status_code == 200
    assert (answer.json()["predictions"], answer.json()["keys"]) == ([{"twice": 2}], ["a"])
    assert answer.headers["x-vertex-ai-endpoint-id"] == endpoint.name
    told = answer.json()["told"]
    assert answer.headers["x-vertex-ai-deployed-model-id"] == told["AIP_DEPLOYED_MODEL_ID"]


def test_a_container_is_told_what_vertex_tells_it(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint
) -> None:
    answers = [vertex.raw_predict(endpoint, {"instances": []}).json() for _ in range(20)]
    told = {answer["told"]["MARK"]: answer["told"] for answer in answers}
    model = endpoint.list_models()[0].model.rpartition("/")[2]
    first = told[f"one, {model}"]
    assert first["AIP_STORAGE_URI"] == "gs://scoring-models/weights/v1"
    assert first["AIP_ENDPOINT_ID"] == endpoint.name
    assert first["STORAGE_EMULATOR_HOST"] == vertex.server.url
    assert "AIP_STORAGE_URI" not in told["two"]


def test_answers_come_by_the_traffic_split_in_a_sequence_that_chance_is_seeded_for(
    endpoint: aiplatform.Endpoint,
) -> None:
    drawn = Counter(endpoint.predict([{"x": 1}]).deployed_model_id for _ in range(60))
    assert set(drawn) == {model.id for model in endpoint.list_models()}
    assert min(drawn.values()) > 15


def test_the_containers_own_error_reaches_the_client_with_its_code(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint
) -> None:
    with pytest.raises(InternalServerError, match="poison"):
        endpoint.predict(["poison"])
    raw = vertex.raw_predict(endpoint, {"instances": ["poison"]})
    assert (raw.status_code, raw.json()) == (500, {"error": "poison"})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "not an object"),
        (b"{}", "instances"),
        (b'{"instances": {}}', "instances"),
        (b'{"instances": []}', "instances"),
        (b'{"instances": [1], "keys": []}', 'Unknown name "keys"'),
    ],
)
def test_a_request_to_predict_that_is_none_is_refused(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint, body: bytes, message: str
) -> None:
    answer = vertex.post(f"/v1/{endpoint.resource_name}:predict", body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_a_request_beyond_a_megabyte_and_a_half_is_refused_in_the_services_words(
    vertex: VertexCloud, endpoint: aiplatform.Endpoint
) -> None:
    with pytest.raises(BadRequest, match=r"exceeds 1\.500MB limit"):
        endpoint.predict([{"x": 1, "id": "a" * 1_572_864}])
    assert vertex.raw_predict(endpoint, {"instances": [{"x": 1, "id": "a" * 1_500_000}]}).ok


def test_an_endpoint_that_is_not_there_is_404(vertex: VertexCloud) -> None:
    answer = vertex.post(f"/v1/{PLACE}/endpoints/12:predict", b'{"instances": [1]}')
    assert answer.status_code == 404


def test_a_container_that_dies_is_started_again(vertex: VertexCloud) -> None:
    endpoint = vertex.endpoint()
    endpoint.deploy(vertex.upload(), machine_type="m")
    with pytest.raises(ServiceUnavailable, match="did not answer"):
        endpoint.predict(["die"])

    def answers() -> bool:
        try:
            return endpoint.predict([{"x": 1}]).predictions == [{"twice": 2.0}]
        except ServiceUnavailable:
            return False

    eventually(answers)


def test_a_request_under_way_is_answered_while_its_model_is_undeployed(
    vertex: VertexCloud, tmp_path: Path
) -> None:
    arrived = tmp_path / "arrived"
    variables = {"ARRIVED": str(arrived)}
    endpoint = vertex.endpoint()
    model = vertex.upload(serving_container_environment_variables=variables)
    endpoint.deploy(model, machine_type="m")
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(endpoint.predict, ["slow", {"x": 1}])
        eventually(arrived.exists)
        endpoint.undeploy_all()
        assert slow.result().predictions == [{"twice": 2.0}]
    with pytest.raises(BadRequest, match="no deployed model"):
        endpoint.predict([{"x": 1}])
