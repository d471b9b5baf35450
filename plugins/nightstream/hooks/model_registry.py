"""Vertex AI's Model Registry by its REST API: a service's versions, their aliases and figures."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from google.api_core.exceptions import NotFound
from google.cloud.aiplatform_v1 import ModelServiceClient
from google.cloud.aiplatform_v1.types import EnvVar, Model, ModelContainerSpec, ModelEvaluation
from google.protobuf import struct_pb2

from beam_jobs.prediction.origin import check_origin
from beam_jobs.prediction.versions import Version
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.release import Evaluation
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.hooks.operations import Operation, operation_of, running_operation
from nightstream.hooks.vertex_api import VertexApi

_SCHEMAS = "gs://google-cloud-aiplatform/schema/modelevaluation"
_REGRESSION = f"{_SCHEMAS}/regression_metrics_1.0.0.yaml"
_CLASSIFICATION = f"{_SCHEMAS}/classification_metrics_1.0.0.yaml"
_FIGURES = {
    "rmse": (_REGRESSION, "rootMeanSquaredError"),
    "mae": (_REGRESSION, "meanAbsoluteError"),
    "auc": (_CLASSIFICATION, "auRoc"),
    "log_loss": (_CLASSIFICATION, "logLoss"),
}


class Registered(NamedTuple):
    """A version in the registry."""

    name: str
    """projects/…/models/<service>@<number>."""
    folder: str
    aliases: frozenset[str]


class ModelRegistryHook(VertexApi):
    """The registry's model of a service bears its name; so a second upload finds the first."""

    def __init__(self, environment: EnvironmentSpec, spec: ServiceSpec) -> None:
        super().__init__(environment, spec.model.endpoint.region if spec.model.endpoint else None)
        self._service = spec.service
        self.model = f"{self.parent}/models/{spec.service}"

    def version(self, pin: ModelPin) -> Registered | None:
        """The version with that folder and artifact; of several the first."""
        found = [
            Registered(
                f"{self.model}@{model.version_id}",
                model.artifact_uri,
                frozenset(model.version_aliases),
            )
            for model in self._versions()
            if model.artifact_uri.rstrip("/") == pin.uri
            and model.version_description == _description(pin)
        ]
        return min(found, key=lambda version: int(version.name.partition("@")[2]), default=None)

    def aliased(self, alias: str, root: str) -> Version | None:
        """The version that an alias names; None where it names none. Raises ModelError where that
        does not lie below the root."""
        try:
            named = self._client.get_model(name=f"{self.model}@{alias}")
        except NotFound:
            return None
        folder = named.artifact_uri.rstrip("/")
        check_origin(folder, root)
        return Version(folder, folder.rpartition("/")[2])

    def give_alias(self, version: Registered, alias: str) -> None:
        """Takes it from whichever version had it."""
        self._client.merge_version_aliases(name=version.name, version_aliases=[alias])

    def upload(self, pin: ModelPin, image: str) -> Operation:
        """Begins to register a version, as another one of the service's model if there is one."""
        container = ModelContainerSpec(
            image_uri=image,
            predict_route="/predict",
            health_route="/health",
            env=[EnvVar(name="NIGHTSTREAM_MODEL_SHA256", value=pin.sha256)],
        )
        model = Model(
            display_name=self._service,
            artifact_uri=pin.uri,
            container_spec=container,
            version_description=_description(pin),
        )
        first = not self._versions()
        place = {"model_id": self._service} if first else {"parent_model": self.model}
        begun = self._client.upload_model(request={"parent": self.parent, "model": model, **place})
        return Operation(begun.operation.name, False, None)

    def import_evaluation(self, version: Registered, evaluation: Evaluation) -> None:
        """Once for each release."""
        listed = self._client.list_model_evaluations(parent=version.name)
        if any(found.display_name == evaluation.key for found in listed):
            return
        schema, figure = _FIGURES[evaluation.metric]
        metrics = struct_pb2.Value()
        metrics.struct_value.update({figure: evaluation.candidate.value})
        self._client.import_model_evaluation(
            parent=version.name,
            model_evaluation=ModelEvaluation(
                display_name=evaluation.key, metrics_schema_uri=schema, metrics=metrics
            ),
        )

    def operation(self, name: str) -> Operation | None:
        return operation_of(self._client, name)

    def running(self) -> Operation | None:
        """What is under way on the service's model, whoever began it."""
        return running_operation(self._client, self.model)

    def _versions(self) -> list[Any]:
        try:
            return list(self._client.list_model_versions(name=self.model))
        except NotFound:
            return []

    @cached_property
    def _client(self) -> Any:
        return self.client(ModelServiceClient)


def _description(pin: ModelPin) -> str:
    """Of a version; the registry's own number says nothing of what was registered."""
    return f"{pin.version} sha256:{pin.sha256}"
