"""The product's own prediction server as the container of a deployed model."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, storage

from beam_jobs.objects import open_objects
from tests.support.local_cloud import PROJECT, ROOT
from tests.support.models import release
from tests.support.vertex_cloud import VertexCloud

IMAGE = "us-docker.pkg.dev/scoring/prediction-server:1"
ENTRYPOINT = shlex.join(["python", "-m", "beam_jobs.prediction.server", "serve"])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VertexCloud]:
    image = ("--image", f"{IMAGE}={sys.executable}:{ROOT}")
    entrypoint = ("--entrypoint", f"{IMAGE}={ENTRYPOINT}")
    cloud = VertexCloud.started(tmp_path_factory.mktemp("served"), *image, *entrypoint)
    yield cloud
    cloud.server.end()


def test_a_model_from_storage_is_served_by_the_prediction_server(
    cloud: VertexCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.server.point_clients_here(monkeypatch)
    cloud.point_sdk_here()
    client = storage.Client(PROJECT, AnonymousCredentials())
    client.create_bucket("scoring-models")
    release("gs://scoring-models/weights", "v1", open_objects("gs://", client))
    model = aiplatform.Model.upload(
        display_name="weights",
        artifact_uri="gs://scoring-models/weights/v1",
        serving_container_image_uri=IMAGE,
        serving_container_health_route="/health",
        serving_container_predict_route="/predict",
    )
    endpoint = cloud.endpoint()
    endpoint.deploy(model, machine_type="n1-standard-2")
    instances = [{"id": "a", "weeks": 40.0}, {"id": "b", "weeks": 35.0}]
    answer = endpoint.predict(instances, parameters={"key": "id"})
    assert len(answer.predictions) == 2
    raw = cloud.raw_predict(endpoint, {"instances": instances, "parameters": {"key": "id"}})
    assert raw.json()["predictions"] == answer.predictions
    assert raw.headers["x-vertex-ai-deployed-model-id"] == answer.deployed_model_id
    refused = cloud.raw_predict(endpoint, {"instances": [{"id": "a", "weeks": "many"}]})
    assert refused.status_code == 400
    assert "weeks" in refused.text
