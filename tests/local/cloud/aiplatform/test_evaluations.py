"""Model evaluations, imported by the client that the SDK is built on and read by the SDK."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import aiplatform
from google.cloud.aiplatform_v1 import ModelServiceClient, types
from google.protobuf import json_format, struct_pb2

from tests.support.vertex_cloud import VertexCloud

SCHEMA = "gs://google-cloud-aiplatform/schema/modelevaluation/regression_metrics_1.0.0.yaml"


def imported(vertex: VertexCloud, model: str, error: float) -> types.ModelEvaluation:
    metrics = json_format.ParseDict({"rootMeanSquaredError": error}, struct_pb2.Value())
    return vertex.client(ModelServiceClient).import_model_evaluation(
        parent=model,
        model_evaluation=types.ModelEvaluation(
            display_name="held out", metrics_schema_uri=SCHEMA, metrics=metrics
        ),
    )


def test_an_evaluation_belongs_to_the_version_it_was_imported_for(vertex: VertexCloud) -> None:
    model = vertex.upload()
    vertex.upload(parent_model=model.resource_name)
    imported(vertex, f"{model.resource_name}@1", 2.0)
    champion = imported(vertex, model.resource_name, 1.0)
    (read,) = aiplatform.Model(model.resource_name).list_model_evaluations()
    assert read.gca_resource.name == champion.name
    assert read.metrics["rootMeanSquaredError"] == 1.0
    (of_first,) = aiplatform.Model(model.resource_name, version="1").list_model_evaluations()
    assert of_first.metrics["rootMeanSquaredError"] == 2.0
    assert of_first.gca_resource.display_name == "held out"


def test_an_evaluation_goes_with_its_model(vertex: VertexCloud) -> None:
    model = vertex.upload()
    evaluation = imported(vertex, model.resource_name, 1.0)
    client = vertex.client(ModelServiceClient)
    assert client.get_model_evaluation(name=evaluation.name) == evaluation
    model.delete()
    with pytest.raises(NotFound, match="ModelEvaluation"):
        client.get_model_evaluation(name=evaluation.name)
