"""An endpoint pinned by the real clients, from the local Vertex AI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from google.cloud import aiplatform

from beam_jobs.prediction.versions import ModelError
from beam_jobs.spec.model import EndpointSpec
from nightstream.hooks.vertex import VertexHook
from tests.support.specs import an_environment
from tests.support.vertex_cloud import VertexCloud

V1, V2 = "gs://models/weights/v1", "gs://models/weights/v2"


class Served(NamedTuple):
    cloud: VertexCloud
    endpoint: aiplatform.Endpoint

    def hook(self, name: str) -> VertexHook:
        environment = an_environment(vertex={"endpoint": self.cloud.server.url})
        return VertexHook(environment, EndpointSpec(name=name))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    cloud = VertexCloud.started(tmp_path_factory.mktemp("vertex"))
    cloud.point_sdk_here()
    try:
        endpoint = cloud.endpoint()
        endpoint.deploy(cloud.upload(artifact_uri=V1), machine_type="n1-standard-2")
        yield Served(cloud, endpoint)
    finally:
        cloud.server.end()


def test_a_night_pins_the_deployed_model_of_its_version(served: Served) -> None:
    (deployed,) = served.endpoint.list_models()
    pin = served.hook(served.endpoint.display_name).pin(V1)
    assert pin.name == served.endpoint.resource_name
    assert pin.address == served.cloud.server.url
    assert pin.deployed_model_id == deployed.id


def test_streaming_pins_the_endpoint_alone(served: Served) -> None:
    pin = served.hook(served.endpoint.name).pin(None)
    assert pin.name == served.endpoint.resource_name
    assert pin.deployed_model_id is None


def test_an_account_that_may_not_look_is_told_what_it_needs(served: Served) -> None:
    served.cloud.server.inject(kind="error", path="/endpoints", code=403, message="not for you")
    try:
        with pytest.raises(ModelError, match=r"not for you.*Remedy:.*aiplatform.endpoints.get"):
            served.hook(served.endpoint.display_name).pin(V1)
    finally:
        served.cloud.server.heal()


def test_another_version_cannot_be_pinned(served: Served) -> None:
    with pytest.raises(ModelError, match="is not deployed on"):
        served.hook(served.endpoint.display_name).pin(V2)


@pytest.mark.parametrize("name", ["12345", "nowhere"])
def test_an_endpoint_that_is_not_there_is_refused_with_the_remedy(
    served: Served, name: str
) -> None:
    with pytest.raises(ModelError, match="Remedy"):
        served.hook(name).pin(None)
