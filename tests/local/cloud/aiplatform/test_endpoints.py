"""Endpoints and what is deployed to them, through google-cloud-aiplatform as it is."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import (
    BadRequest,
    Conflict,
    FailedPrecondition,
    MethodNotImplemented,
    NotFound,
)
from google.cloud import aiplatform
from google.cloud.aiplatform_v1 import EndpointServiceClient, types

from tests.support.vertex_cloud import NO_ENTRYPOINT, PLACE, VertexCloud

pytestmark = pytest.mark.usefixtures("vertex")


@pytest.fixture(scope="module")
def pair(vertex_cloud: VertexCloud) -> aiplatform.Endpoint:
    """An endpoint with two deployed models: `old` has all of the traffic, `new` none."""
    vertex_cloud.point_sdk_here()
    endpoint = vertex_cloud.endpoint()
    for name in ("old", "new"):
        share = 100 if name == "old" else 0
        endpoint.deploy(
            vertex_cloud.upload(), name, machine_type="n1-standard-2", traffic_percentage=share
        )
    return endpoint


def ids(endpoint: aiplatform.Endpoint) -> dict[str, str]:
    return {model.display_name: model.id for model in endpoint.list_models()}


def test_an_endpoint_is_created_read_changed_listed_and_deleted(vertex: VertexCloud) -> None:
    endpoint = vertex.endpoint(labels={"service": "weights"}, description="of a test")
    endpoint.update(display_name="renamed", labels={"service": "other"})
    read = aiplatform.Endpoint(endpoint.resource_name)
    assert (read.display_name, read.labels) == ("renamed", {"service": "other"})
    assert read.gca_resource.description == "of a test"
    assert read.name in [e.name for e in aiplatform.Endpoint.list(filter="labels.service=other")]
    endpoint.delete()
    with pytest.raises(NotFound, match=endpoint.name):
        vertex.client(EndpointServiceClient).get_endpoint(name=endpoint.resource_name)


def test_an_endpoint_may_have_an_id_of_its_own_once(vertex: VertexCloud) -> None:
    assert vertex.endpoint(endpoint_id="weights").name == "weights"
    with pytest.raises(Conflict, match="endpoints/weights"):
        vertex.endpoint(endpoint_id="weights")


def test_a_second_model_is_deployed_beside_the_first(pair: aiplatform.Endpoint) -> None:
    read = aiplatform.Endpoint(pair.resource_name)
    old, new = read.list_models()
    assert (old.display_name, new.display_name) == ("old", "new")
    assert old.model_version_id == "1"
    assert old.dedicated_resources.machine_spec.machine_type == "n1-standard-2"
    model = aiplatform.Model(old.model)
    assert [d.deployed_model_id for d in model.gca_resource.deployed_models] == [old.id]
    with pytest.raises(BadRequest, match="undeploy it first"):
        model.delete()


def test_traffic_is_moved_and_has_to_add_up(pair: aiplatform.Endpoint) -> None:
    old, new = ids(pair)["old"], ids(pair)["new"]
    pair.update(traffic_split={old: 75, new: 25})
    assert aiplatform.Endpoint(pair.resource_name).traffic_split == {old: 75, new: 25}
    with pytest.raises(BadRequest, match="add up to 100, not 85"):
        pair.update(traffic_split={old: 75, new: 10})
    with pytest.raises(BadRequest, match="names 12"):
        pair.update(traffic_split={"12": 100})
    pair.update(traffic_split={old: 100})
    assert aiplatform.Endpoint(pair.resource_name).traffic_split == {old: 100}


def test_an_endpoint_that_serves_is_not_deleted(pair: aiplatform.Endpoint) -> None:
    with pytest.raises(BadRequest, match="undeploy them first"):
        pair.delete()


def test_a_model_with_traffic_is_not_undeployed(
    vertex: VertexCloud, pair: aiplatform.Endpoint
) -> None:
    client = vertex.client(EndpointServiceClient)
    with pytest.raises(BadRequest, match="100% of the traffic"):
        client.undeploy_model(endpoint=pair.resource_name, deployed_model_id=ids(pair)["old"])
    with pytest.raises(NotFound, match="DeployedModel does not exist: 12"):
        client.undeploy_model(endpoint=pair.resource_name, deployed_model_id="12")


def test_an_undeployed_model_answers_no_more_and_leaves_its_traffic_to_the_other(
    vertex: VertexCloud,
) -> None:
    endpoint = vertex.endpoint()
    for share in (100, 50):
        endpoint.deploy(vertex.upload(), machine_type="m", traffic_percentage=share)
    first, second = [model.id for model in endpoint.list_models()]
    assert endpoint.traffic_split == {first: 50, second: 50}
    endpoint.undeploy(first)
    assert endpoint.traffic_split == {second: 100}
    endpoint.undeploy(second)
    assert endpoint.traffic_split == {}
    with pytest.raises(BadRequest, match="has no deployed model that takes traffic"):
        endpoint.predict([{"x": 1}])
    endpoint.delete()


def test_a_container_that_ends_before_it_is_healthy_fails_the_deployment_with_its_last_words(
    vertex: VertexCloud,
) -> None:
    model = vertex.upload(serving_container_environment_variables={"BROKEN": "no model here"})
    endpoint = vertex.endpoint()
    with pytest.raises(FailedPrecondition, match=r"exited unexpectedly(.|\n)*no model here"):
        endpoint.deploy(model, machine_type="m")
    assert endpoint.list_models() == []
    endpoint.delete()


def test_a_container_that_is_never_healthy_fails_the_deployment_in_time(
    vertex: VertexCloud,
) -> None:
    model = vertex.upload(
        serving_container_environment_variables={"NEVER_HEALTHY": "1"},
        serving_container_deployment_timeout=1,
    )
    with pytest.raises(FailedPrecondition, match="never became ready in 1 s"):
        vertex.endpoint().deploy(model, machine_type="m")


@pytest.mark.parametrize(
    ("upload", "remedy"),
    [
        ({"serving_container_image_uri": "scorer:2"}, "--image scorer:2=PYTHON"),
        ({"serving_container_image_uri": NO_ENTRYPOINT}, "--entrypoint"),
    ],
)
def test_an_image_that_nothing_stands_in_for_is_refused_with_the_remedy(
    vertex: VertexCloud, upload: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(BadRequest, match=remedy):
        vertex.endpoint().deploy(vertex.upload(**upload), machine_type="m")


def test_a_command_of_the_spec_goes_before_the_images_own(vertex: VertexCloud) -> None:
    model = vertex.upload(
        serving_container_image_uri=NO_ENTRYPOINT,
        serving_container_command=["python", "-m", "tests.support.tiny_container"],
        serving_container_args=["$(AIP_MODEL_NAME)", "$$(MARK)"],
    )
    endpoint = vertex.endpoint()
    endpoint.deploy(model, machine_type="m")
    answer = vertex.raw_predict(endpoint, {"instances": [{"x": 1}]}).json()
    assert answer["told"]["arguments"] == f"{model.name} $(MARK)"


DEDICATED = {"machine_spec": {"machine_type": "m"}, "min_replica_count": 1}


@pytest.mark.parametrize(
    ("deployed", "split", "error", "message"),
    [
        ({}, {}, BadRequest, "deployed_model.dedicatedResources"),
        ({"dedicated_resources": DEDICATED}, {"0": 50}, BadRequest, "add up to 100, not 50"),
        ({"dedicated_resources": DEDICATED}, {"7": 100}, BadRequest, "traffic_split names 7"),
        ({"dedicated_resources": DEDICATED, "id": "a"}, {}, BadRequest, "deployed_model.id"),
        ({"dedicated_resources": {"min_replica_count": 1}}, {}, BadRequest, "machineSpec"),
        (
            {"shared_resources": "pool"},
            {},
            MethodNotImplemented,
            "deployed_model.sharedResources",
        ),
    ],
)
def test_a_deployment_that_is_none_or_that_this_cloud_does_not_know_is_refused(
    vertex: VertexCloud,
    pair: aiplatform.Endpoint,
    deployed: dict[str, Any],
    split: dict[str, int],
    error: type[Exception],
    message: str,
) -> None:
    client = vertex.client(EndpointServiceClient)
    model = {"model": pair.list_models()[0].model, **deployed}
    with pytest.raises(error, match=message):
        client.deploy_model(
            endpoint=pair.resource_name,
            deployed_model=types.DeployedModel(model),
            traffic_split=split,
        )


def test_an_endpoint_that_this_cloud_does_not_know_is_refused(vertex: VertexCloud) -> None:
    client = vertex.client(EndpointServiceClient)
    endpoint = types.Endpoint(display_name="e", network="projects/1/global/networks/n")
    with pytest.raises(MethodNotImplemented, match=r"endpoint\.network"):
        client.create_endpoint(parent=PLACE, endpoint=endpoint)
