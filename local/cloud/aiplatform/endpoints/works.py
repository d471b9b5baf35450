"""What operations on endpoints do."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from local.cloud.aiplatform.endpoints.catalog import Endpoints
from local.cloud.aiplatform.endpoints.types import DeployedModel
from local.cloud.aiplatform.models.registry import Registry
from local.cloud.aiplatform.names import ModelName
from local.cloud.aiplatform.operations import Change, Work
from local.cloud.aiplatform.serving.container import container_of
from local.cloud.aiplatform.serving.deployments import Deployments
from local.cloud.config import CloudConfig

DEPLOYMENT_TIMEOUT_S = 300.0
"""How long a container may take to get healthy, where its spec does not say."""


@dataclass(frozen=True)
class Serving:
    """Starts the processes of deployed models as their containers' specs say."""

    config: CloudConfig
    registry: Registry
    deployments: Deployments
    closing: threading.Event

    def ensure(self, endpoint: str, deployed: DeployedModel) -> None:
        """Raises ApiError where it cannot be started."""
        version = self.registry.version(ModelName(deployed.model, deployed.model_version_id))
        self.deployments.ensure(
            deployed.id, lambda: container_of(self.config, endpoint, deployed, version)
        )

    def await_healthy(self, deployed: DeployedModel) -> None:
        """Raises ApiError with the end of the log."""
        version = self.registry.version(ModelName(deployed.model, deployed.model_version_id))
        spec = version.content.container_spec
        timeout = float((spec.deployment_timeout if spec else "").removesuffix("s") or 0)
        self.deployments.await_healthy(
            deployed.id, timeout or DEPLOYMENT_TIMEOUT_S, self.closing.is_set
        )


@dataclass(frozen=True)
class Deploy:
    endpoints: Endpoints
    serving: Serving
    metadata: str = "DeployModelOperationMetadata"
    response: str | None = "DeployModelResponse"

    def prepare(self, request: dict[str, Any]) -> None:
        deployed = DeployedModel.model_validate(request["deployedModel"])
        self.serving.ensure(request["endpoint"], deployed)
        self.serving.await_healthy(deployed)

    def commit(self, request: dict[str, Any]) -> dict[str, Any]:
        deployed = DeployedModel.model_validate(request["deployedModel"])
        self.endpoints.add(request["endpoint"], deployed, request["trafficSplit"])
        return {"deployedModel": deployed.json_fields()}

    def undo(self, request: dict[str, Any]) -> None:
        self.serving.deployments.stop(request["deployedModel"]["id"])


@dataclass(frozen=True)
class Undeploy:
    endpoints: Endpoints
    serving: Serving
    metadata: str = "UndeployModelOperationMetadata"
    response: str | None = "UndeployModelResponse"

    def prepare(self, request: dict[str, Any]) -> None:
        """No new request comes to the model, then its process ends."""
        name, deployed_id = request["endpoint"], request["deployedModelId"]
        if self.endpoints.get(name).deployed(deployed_id):
            self.endpoints.remove(name, deployed_id, request["trafficSplit"])
        self.serving.deployments.discard(deployed_id)

    def commit(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def undo(self, request: dict[str, Any]) -> None:
        """A model that could not be taken away is served as before."""


def works(endpoints: Endpoints, serving: Serving) -> dict[str, Work]:
    def create(request: dict[str, Any]) -> dict[str, Any]:
        return endpoints.create(request["name"], request["endpoint"]).view()

    def delete(request: dict[str, Any]) -> dict[str, Any]:
        endpoints.delete(request["name"])
        return {}

    return {
        "createEndpoint": Change("CreateEndpointOperationMetadata", "Endpoint", create),
        "deleteEndpoint": Change("DeleteOperationMetadata", None, delete),
        "deployModel": Deploy(endpoints, serving),
        "undeployModel": Undeploy(endpoints, serving),
    }
