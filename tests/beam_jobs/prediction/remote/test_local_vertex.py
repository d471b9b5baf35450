"""The whole way: through the local Vertex AI to the prediction server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, storage

from beam_jobs.objects.gcs import GcsObjects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.remote.client import EndpointClient
from beam_jobs.prediction.remote.model import RemoteModel
from beam_jobs.prediction.scoring import ModelUnavailableError
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec.model import EndpointSpec
from tests.support.local_cloud import PROJECT, ROOT
from tests.support.models import Moody, release
from tests.support.remote_models import weeks
from tests.support.vertex_cloud import VertexCloud

IMAGE = "us-docker.pkg.dev/scoring/prediction-server:1"
SERVER = "python -m beam_jobs.prediction.server serve"


class Deployed(NamedTuple):
    cloud: VertexCloud
    endpoint: aiplatform.Endpoint
    manifest: ModelManifest

    def model(self, deployed_model_id: str | None) -> RemoteModel:
        pin = EndpointPin(
            name=self.endpoint.resource_name,
            address=self.cloud.server.url,
            deployed_model_id=deployed_model_id,
        )
        spec = EndpointSpec(name=self.endpoint.name, most_instances=50, retry_seconds=2)
        client = EndpointClient(pin, 8, 30, AnonymousCredentials())
        return RemoteModel(self.manifest, pin, spec, client)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    image = ("--image", f"{IMAGE}={sys.executable}:{ROOT}", "--entrypoint", f"{IMAGE}={SERVER}")
    cloud = VertexCloud.started(tmp_path_factory.mktemp("deployed"), *image)
    try:
        cloud.point_sdk_here()
        cloud.server.call("POST", "/storage/v1/b", {"name": "models"})
        options = {"api_endpoint": cloud.server.url}
        client = storage.Client(PROJECT, AnonymousCredentials(), client_options=options)
        root = "gs://models/weights"
        manifest = release(root, "v1", GcsObjects(client), model=Moody())
        uploaded = cloud.upload(artifact_uri=f"{root}/v1", serving_container_image_uri=IMAGE)
        endpoint = cloud.endpoint()
        endpoint.deploy(uploaded, machine_type="n1-standard-2")
        yield Deployed(cloud, endpoint, manifest)
    finally:
        cloud.server.end()


def test_rows_are_predicted_by_the_pinned_deployment(deployed: Deployed) -> None:
    (model,) = deployed.endpoint.list_models()
    rows = [float(number % 90) for number in range(400)]
    rows[123] = -1.0  # Moody refuses it.
    predicted = deployed.model(model.id).score(weeks(rows))
    assert predicted.failed.indices.tolist() == [123]
    assert "cannot score -1.0" in predicted.failed.messages[0]
    good = [row / 5 for row in rows if row >= 0]
    assert predicted.outputs.column("weight").to_pylist() == good
    assert set(predicted.outputs.column("deployed_model_id").to_pylist()) == {model.id}


def test_without_a_pin_the_container_says_its_version(deployed: Deployed) -> None:
    predicted = deployed.model(None).score(weeks([10.0, 20.0]))
    assert predicted.outputs.column("model_version").to_pylist() == ["v1", "v1"]


def test_another_deployment_than_the_pinned_one_fails(deployed: Deployed) -> None:
    with pytest.raises(ModelUnavailableError, match="pinned is 1"):
        deployed.model("1").score(weeks([10.0]))
