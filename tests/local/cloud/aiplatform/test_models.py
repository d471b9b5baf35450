"""The Model Registry, through google-cloud-aiplatform as it is."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import (
    BadRequest,
    Conflict,
    MethodNotImplemented,
    NotFound,
)
from google.cloud import aiplatform
from google.cloud.aiplatform.models import ModelRegistry
from google.cloud.aiplatform_v1 import ModelServiceClient, types

from tests.support.vertex_cloud import IMAGE, PLACE, VertexCloud


def aliases(model: aiplatform.Model) -> dict[str, set[str]]:
    registry = ModelRegistry(model.resource_name)
    return {v.version_id: set(v.version_aliases) for v in registry.list_versions()}


def versions(vertex: VertexCloud, **second: Any) -> aiplatform.Model:
    """A model of two versions; the first one is the default."""
    first = vertex.upload()
    vertex.upload(parent_model=first.resource_name, is_default_version=False, **second)
    return first


def test_a_model_is_uploaded_and_read_back(vertex: VertexCloud) -> None:
    uploaded = vertex.upload(
        artifact_uri="gs://scoring-models/weights/v1",
        description="of a test",
        version_description="the first",
        labels={"service": "weights"},
        serving_container_environment_variables={"MARK": "one"},
        serving_container_ports=[9000],
    )
    model = aiplatform.Model(uploaded.resource_name)
    assert model.uri == "gs://scoring-models/weights/v1"
    assert (model.description, model.version_description) == ("of a test", "the first")
    assert (model.version_id, model.version_aliases) == ("1", ["default"])
    assert model.labels == {"service": "weights"}
    assert model.container_spec.image_uri == IMAGE
    assert model.container_spec.predict_route == "/predict"
    assert {v.name: v.value for v in model.container_spec.env} == {"MARK": "one"}
    assert [port.container_port for port in model.container_spec.ports] == [9000]


def test_names_in_answers_have_the_projects_number(vertex: VertexCloud) -> None:
    model = vertex.upload()
    by_id = aiplatform.Model(f"{PLACE}/models/{model.name}")
    assert by_id.resource_name == model.resource_name
    assert model.resource_name.split("/")[1].isdecimal()


def test_an_upload_to_a_parent_is_its_next_version_and_the_default(vertex: VertexCloud) -> None:
    first = vertex.upload()
    second = vertex.upload(parent_model=first.resource_name, version_aliases=["candidate"])
    assert (second.name, second.version_id) == (first.name, "2")
    assert aliases(first) == {"1": set(), "2": {"candidate", "default"}}


def test_an_upload_that_is_not_to_be_the_default_leaves_it_where_it_is(
    vertex: VertexCloud,
) -> None:
    model = versions(vertex, version_aliases=["candidate"])
    assert aliases(model) == {"1": {"default"}, "2": {"candidate"}}


def test_an_alias_names_a_version_and_moves_when_another_gets_it(vertex: VertexCloud) -> None:
    model = versions(vertex)
    registry = ModelRegistry(model.resource_name)
    registry.add_version_aliases(["champion"], version="1")
    assert aiplatform.Model(f"{model.resource_name}@champion").version_id == "1"
    registry.add_version_aliases(["champion", "default"], version="2")
    assert aliases(model) == {"1": set(), "2": {"champion", "default"}}
    assert aiplatform.Model(model.resource_name).version_id == "2"
    registry.remove_version_aliases(["champion"], version="2")
    with pytest.raises(NotFound, match="@champion"):
        registry.get_version_info("champion")


@pytest.mark.parametrize("alias", ["-default", "2", "x", "Champion", "a b"])
def test_an_alias_that_cannot_be_is_refused(vertex: VertexCloud, alias: str) -> None:
    model = vertex.upload()
    client = vertex.client(ModelServiceClient)
    with pytest.raises(BadRequest, match="alias"):
        client.merge_version_aliases(name=f"{model.resource_name}@1", version_aliases=[alias])


def test_models_are_listed_by_name_and_label(vertex: VertexCloud) -> None:
    one = vertex.upload(labels={"listed": "here", "tier": "gold"})
    two = vertex.upload(labels={"listed": "here"})

    def found(text: str) -> list[str]:
        return [model.name for model in aiplatform.Model.list(filter=text)]

    assert found(f'display_name="{one.display_name}"') == [one.name]
    assert found('labels.listed="here"') == [two.name, one.name]
    assert found('labels.listed=here AND labels.tier!="gold"') == [two.name]
    assert found("labels.tier:* AND labels.listed=here") == [one.name]
    pages = vertex.client(ModelServiceClient).list_models(
        request={"parent": PLACE, "filter": "labels.listed=here", "page_size": 1}
    )
    assert [len(page.models) for page in pages.pages] == [1, 1]
    with pytest.raises(MethodNotImplemented, match="filter"):
        found('labels.listed="here" OR labels.tier="gold"')


def test_a_model_and_its_versions_are_changed_apart(vertex: VertexCloud) -> None:
    model = versions(vertex)
    model.update(display_name="renamed", labels={"of": "model"})
    registry = ModelRegistry(model.resource_name)
    registry.update_version("2", version_description="better", labels={"of_version": "two"})
    second = aiplatform.Model(model.resource_name, version="2")
    assert (second.display_name, second.version_description) == ("renamed", "better")
    assert second.labels == {"of": "model", "of_version": "two"}
    assert aiplatform.Model(model.resource_name).labels == {"of": "model"}


def test_what_cannot_change_is_refused_and_so_is_what_changed_meanwhile(
    vertex: VertexCloud,
) -> None:
    client = vertex.client(ModelServiceClient)
    stale = client.get_model(name=vertex.upload().resource_name)
    with pytest.raises(BadRequest, match="artifactUri"):
        client.update_model(model=stale, update_mask={"paths": ["artifact_uri"]})
    aiplatform.Model(stale.name).update(display_name="other")
    with pytest.raises(Conflict, match="etag"):
        client.update_model(model=stale, update_mask={"paths": ["display_name"]})


def test_versions_are_deleted_but_not_the_default_nor_the_only_one(vertex: VertexCloud) -> None:
    model = versions(vertex)
    registry = ModelRegistry(model.resource_name)
    with pytest.raises(BadRequest, match="default"):
        registry.delete_version("1")
    registry.delete_version("2")
    assert aliases(model) == {"1": {"default"}}
    with pytest.raises(BadRequest, match="only version"):
        registry.delete_version("1")
    third = vertex.upload(parent_model=model.resource_name)
    assert third.version_id == "3"  # a number is used once


def test_a_deleted_model_is_gone(vertex: VertexCloud) -> None:
    model = vertex.upload()
    model.delete()
    with pytest.raises(NotFound, match=model.name):
        aiplatform.Model(model.resource_name)


def test_a_model_may_have_an_id_of_its_own_once(vertex: VertexCloud) -> None:
    assert vertex.upload(model_id="weights").name == "weights"
    with pytest.raises(Conflict, match="models/weights"):
        vertex.upload(model_id="weights")
    with pytest.raises(BadRequest, match="model_id"):
        vertex.upload(model_id="Weights!")


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ({}, BadRequest, "model.displayName"),
        ({"display_name": "x" * 129}, BadRequest, "128"),
        ({"display_name": "m", "artifact_uri": "/here"}, BadRequest, "artifactUri"),
        (
            {"display_name": "m", "container_spec": {"predict_route": "/p"}},
            BadRequest,
            "imageUri",
        ),
        (
            {"display_name": "m", "encryption_spec": {"kms_key_name": "k"}},
            MethodNotImplemented,
            "model.encryptionSpec",
        ),
        (
            {
                "display_name": "m",
                "container_spec": {"image_uri": IMAGE, "grpc_ports": [{"container_port": 1}]},
            },
            MethodNotImplemented,
            "containerSpec.grpcPorts",
        ),
    ],
)
def test_a_model_that_is_none_or_that_this_cloud_does_not_know_is_refused(
    vertex: VertexCloud, model: dict[str, Any], error: type[Exception], message: str
) -> None:
    client = vertex.client(ModelServiceClient)
    with pytest.raises(error, match=message):
        client.upload_model(parent=PLACE, model=types.Model(model))


def test_a_version_of_a_model_that_is_not_there_is_404(vertex: VertexCloud) -> None:
    with pytest.raises(NotFound, match="models/nowhere"):
        vertex.upload(parent_model=f"{PLACE}/models/nowhere")
