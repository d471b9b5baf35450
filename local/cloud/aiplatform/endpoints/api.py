"""The methods of projects.locations.endpoints, but for predictions."""

from __future__ import annotations

import re
from typing import Any

from starlette.routing import BaseRoute

from local.cloud.aiplatform.documents import not_found, precondition, received
from local.cloud.aiplatform.endpoints import traffic
from local.cloud.aiplatform.endpoints.catalog import Endpoints, check_new, split_without
from local.cloud.aiplatform.endpoints.types import DeployedModel, Deployment
from local.cloud.aiplatform.listing import listed
from local.cloud.aiplatform.models.registry import Registry
from local.cloud.aiplatform.names import model_name, new_id, within
from local.cloud.aiplatform.operations import Operations
from local.cloud.aiplatform.requests import Call, Routing
from local.cloud.aiplatform.serving.container import image_of
from local.cloud.config import CloudConfig
from local.cloud.http import ApiError
from local.cloud.supervised import now

_ID = re.compile(r"[a-z][a-z0-9-]{0,62}|[1-9][0-9]{0,9}")


class EndpointsApi:
    def __init__(
        self,
        config: CloudConfig,
        endpoints: Endpoints,
        registry: Registry,
        operations: Operations,
    ) -> None:
        self._config = config
        self._endpoints = endpoints
        self._registry = registry
        self._operations = operations

    def routes(self) -> list[BaseRoute]:
        route = Routing(self._config).route
        return [
            route("POST", "/endpoints", self.create),
            route("GET", "/endpoints", self.list),
            route("POST", "/endpoints/{endpoint}:deployModel", self.deploy),
            route("POST", "/endpoints/{endpoint}:undeployModel", self.undeploy),
            route("GET", "/endpoints/{endpoint}", self.get),
            route("PATCH", "/endpoints/{endpoint}", self.patch),
            route("DELETE", "/endpoints/{endpoint}", self.delete),
        ]

    def create(self, call: Call) -> dict[str, Any]:
        check_new(call.body)
        endpoint_id = call.query.get("endpointId") or new_id()
        if "endpointId" in call.query and not _ID.fullmatch(endpoint_id):
            raise ApiError(400, f"Invalid endpoint_id {endpoint_id!r}: [a-z][a-z0-9-]*.")
        name = call.place.endpoint(endpoint_id)
        if name in {endpoint.name for endpoint in self._endpoints.all(call.place.name)}:
            raise ApiError(409, f"The Endpoint exists already: {name}", "alreadyExists")
        return self._operations.begin("createEndpoint", name, {"name": name, "endpoint": call.body})

    def list(self, call: Call) -> dict[str, Any]:
        shown = [endpoint.view() for endpoint in self._endpoints.all(call.place.name)]
        return listed("endpoints", shown, call.query)

    def get(self, call: Call) -> dict[str, Any]:
        return self._endpoints.get(call.endpoint).view()

    def patch(self, call: Call) -> dict[str, Any]:
        mask = call.query.get("updateMask")
        return self._endpoints.update(call.endpoint, call.body, mask).view()

    def delete(self, call: Call) -> dict[str, Any]:
        name = call.endpoint
        self._endpoints.check_deletable(name)
        if self._operations.running("deployModel", name):
            raise precondition(f"{name} has models being deployed.")
        return self._operations.begin("deleteEndpoint", name, {"name": name})

    def deploy(self, call: Call) -> dict[str, Any]:
        name, split = call.endpoint, call.body.get("trafficSplit") or {}
        endpoint = self._endpoints.get(name)
        deployed = self._deployed(call)
        if endpoint.deployed(deployed.id):
            raise ApiError(409, f"DeployedModel {deployed.id} exists in {name}.", "alreadyExists")
        traffic.checked(split, [traffic.NEW, *(model.id for model in endpoint.deployed_models)])
        request = {
            "endpoint": name,
            "deployedModel": deployed.model_dump(mode="json"),
            "trafficSplit": split,
        }
        return self._operations.begin("deployModel", name, request)

    def _deployed(self, call: Call) -> DeployedModel:
        """The model as it will be deployed. Raises ApiError."""
        sent = call.body.get("deployedModel")
        asked = received(Deployment, sent, "deployed_model", ("modelVersionId", "status"))
        version = self._registry.version(model_name(self._config, asked.model))
        spec = version.content.container_spec
        if spec is None:
            raise ApiError(400, f"{version.name} has no container_spec and cannot be deployed.")
        image_of(self._config, spec)
        model = within(version.name)
        return DeployedModel(
            id=asked.id if asked.id not in ("", traffic.NEW) else new_id(),
            model=model,
            model_version_id=version.number,
            display_name=asked.display_name or self._registry.model(model).display_name,
            create_time=now(),
            **asked.model_dump(exclude={"id", "model", "display_name"}),
        )

    def undeploy(self, call: Call) -> dict[str, Any]:
        name, deployed_id = call.endpoint, call.body.get("deployedModelId", "")
        if not deployed_id:
            raise ApiError(400, "Required field is not set: deployed_model_id.")
        endpoint = self._endpoints.get(name)
        if endpoint.deployed(deployed_id) is None:
            raise not_found("DeployedModel", f"{deployed_id} of {name}")
        split = call.body.get("trafficSplit")
        split_without(endpoint, deployed_id, split)
        request = {"endpoint": name, "deployedModelId": deployed_id, "trafficSplit": split}
        return self._operations.begin("undeployModel", name, request)
