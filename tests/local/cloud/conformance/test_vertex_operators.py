"""The google provider's operators and hooks for Vertex AI's models and endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from airflow.providers.google.cloud.operators.vertex_ai.endpoint_service import (
    CreateEndpointOperator,
    DeleteEndpointOperator,
    DeployModelOperator,
    GetEndpointOperator,
    ListEndpointsOperator,
    UndeployModelOperator,
    UpdateEndpointOperator,
)
from airflow.providers.google.cloud.operators.vertex_ai.model_service import (
    AddVersionAliasesOnModelOperator,
    DeleteModelOperator,
    DeleteModelVersionOperator,
    DeleteVersionAliasesOnModelOperator,
    ExportModelOperator,
    GetModelOperator,
    ListModelsOperator,
    ListModelVersionsOperator,
    SetDefaultVersionOnModelOperator,
    UploadModelOperator,
)
from google.api_core.exceptions import MethodNotImplemented
from google.cloud import aiplatform

from tests.support.airflow_tasks import run
from tests.support.local_cloud import PROJECT
from tests.support.vertex_cloud import IMAGE, LOCATION, VertexCloud
from tests.support.vertex_hooks import point_vertex_hooks_at

WHERE: dict[str, Any] = {"task_id": "t", "project_id": PROJECT, "region": LOCATION}
MODEL = {
    "display_name": "operated",
    "container_spec": {
        "image_uri": IMAGE,
        "predict_route": "/predict",
        "health_route": "/health",
    },
}
DEDICATED = {"machine_spec": {"machine_type": "n1-standard-2"}, "min_replica_count": 1}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VertexCloud]:
    cloud = VertexCloud.started(tmp_path_factory.mktemp("vertex_operators"))
    yield cloud
    cloud.server.end()


@pytest.fixture(autouse=True)
def hooks(cloud: VertexCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.server.point_clients_here(monkeypatch)
    point_vertex_hooks_at(cloud.server.url, monkeypatch)


def uploaded(**more: Any) -> str:
    answer = run(UploadModelOperator(**WHERE, model=MODEL, **more))
    return str(answer["model"].rpartition("/")[2])


def test_a_model_is_registered_in_versions_with_aliases_by_operators() -> None:
    model = uploaded()
    uploaded(parent_model=model)
    run(
        AddVersionAliasesOnModelOperator(
            **WHERE, model_id=f"{model}@2", version_aliases=["champion"]
        )
    )
    run(SetDefaultVersionOnModelOperator(**WHERE, model_id=f"{model}@2"))
    default = run(GetModelOperator(**WHERE, model_id=model))
    assert (default["version_id"], set(default["version_aliases"])) == (
        "2",
        {"default", "champion"},
    )
    run(
        DeleteVersionAliasesOnModelOperator(
            **WHERE, model_id=f"{model}@2", version_aliases=["champion"]
        )
    )
    run(DeleteModelVersionOperator(**WHERE, model_id=f"{model}@1"))
    (left,) = run(ListModelVersionsOperator(**WHERE, model_id=model))
    assert (left["version_id"], left["version_aliases"]) == ("2", ["default"])
    listed = run(ListModelsOperator(**WHERE, filter='display_name="operated"'))
    assert [found["name"].rpartition("/")[2] for found in listed] == [model]
    with pytest.raises(MethodNotImplemented, match=r"models\.export"):
        run(ExportModelOperator(**WHERE, model_id=model, output_config={}))
    run(DeleteModelOperator(**WHERE, model_id=model))
    assert run(ListModelsOperator(**WHERE)) == []


def test_a_model_is_deployed_asked_and_undeployed_by_operators(cloud: VertexCloud) -> None:
    model = uploaded()
    name = f"projects/{PROJECT}/locations/{LOCATION}/models/{model}"
    created = run(CreateEndpointOperator(**WHERE, endpoint={"display_name": "operated"}))
    endpoint = created["name"].rpartition("/")[2]
    deployed = run(
        DeployModelOperator(
            **WHERE,
            endpoint_id=endpoint,
            deployed_model={"model": name, "dedicated_resources": DEDICATED},
            traffic_split={"0": 100},
        )
    )["deployed_model"]["id"]
    cloud.point_sdk_here()
    answer = aiplatform.Endpoint(created["name"]).predict([{"x": 1}])
    assert answer.deployed_model_id == deployed
    update = {"display_name": "renamed"}
    run(
        UpdateEndpointOperator(
            **WHERE,
            endpoint_id=endpoint,
            endpoint=update,
            update_mask={"paths": ["display_name"]},
        )
    )
    assert run(GetEndpointOperator(**WHERE, endpoint_id=endpoint))["display_name"] == "renamed"
    run(UndeployModelOperator(**WHERE, endpoint_id=endpoint, deployed_model_id=deployed))
    run(DeleteEndpointOperator(**WHERE, endpoint_id=endpoint))
    assert run(ListEndpointsOperator(**WHERE)) == []
