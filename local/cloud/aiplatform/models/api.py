"""The methods of projects.locations.models."""

from __future__ import annotations

import re
from typing import Any

from starlette.routing import BaseRoute

from local.cloud.aiplatform.listing import listed
from local.cloud.aiplatform.models.registry import Registry, check_upload
from local.cloud.aiplatform.names import ModelName, model_name, new_id
from local.cloud.aiplatform.operations import Change, Operations, Work
from local.cloud.aiplatform.requests import Call, Routing
from local.cloud.config import CloudConfig
from local.cloud.http import ApiError

_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}|[0-9]{1,63}")


def works(registry: Registry) -> dict[str, Work]:
    """What operations on models do."""

    def upload(request: dict[str, Any]) -> dict[str, Any]:
        version = registry.upload(request["name"], request["model"])
        return {"model": request["name"], "modelVersionId": version.number}

    def delete(request: dict[str, Any]) -> dict[str, Any]:
        registry.delete(request["name"])
        return {}

    def delete_version(request: dict[str, Any]) -> dict[str, Any]:
        registry.delete_version(ModelName(request["name"], request["version"]))
        return {}

    return {
        "uploadModel": Change("UploadModelOperationMetadata", "UploadModelResponse", upload),
        "deleteModel": Change("DeleteOperationMetadata", None, delete),
        "deleteModelVersion": Change("DeleteOperationMetadata", None, delete_version),
    }


class ModelsApi:
    def __init__(self, config: CloudConfig, registry: Registry, operations: Operations) -> None:
        self._config = config
        self._registry = registry
        self._operations = operations

    def routes(self) -> list[BaseRoute]:
        route = Routing(self._config).route
        return [
            route("POST", "/models:upload", self.upload),
            route("GET", "/models", self.list),
            route("GET", "/models/{model}:listVersions", self.versions),
            route("POST", "/models/{model}:mergeVersionAliases", self.merge_aliases),
            route("DELETE", "/models/{model}:deleteVersion", self.delete_version),
            route("GET", "/models/{model}", self.get),
            route("PATCH", "/models/{model}", self.patch),
            route("DELETE", "/models/{model}", self.delete),
        ]

    def upload(self, call: Call) -> dict[str, Any]:
        parent, sent = call.body.get("parentModel", ""), call.body.get("model")
        name = model_name(self._config, parent).model if parent else self._new(call)
        check_upload(self._registry, name if parent else "", sent or {})
        return self._operations.begin("uploadModel", name, {"name": name, "model": sent})

    def _new(self, call: Call) -> str:
        model_id = call.body.get("modelId") or new_id()
        if not _ID.fullmatch(model_id):
            raise ApiError(400, f"Invalid model_id {model_id!r}: [a-z0-9_-], up to 63.")
        name = call.place.model(model_id)
        if self._registry.exists(name):
            raise ApiError(409, f"The Model exists already: {name}", "alreadyExists")
        return name

    def list(self, call: Call) -> dict[str, Any]:
        return listed("models", self._registry.show_all(call.place.name), call.query)

    def versions(self, call: Call) -> dict[str, Any]:
        shown = self._registry.show_versions(call.model.model)
        return listed("models", shown, call.query)

    def get(self, call: Call) -> dict[str, Any]:
        return self._registry.show(call.model)

    def patch(self, call: Call) -> dict[str, Any]:
        return self._registry.update(call.model, call.body, call.query.get("updateMask"))

    def merge_aliases(self, call: Call) -> dict[str, Any]:
        changes = call.body.get("versionAliases")
        if not changes:
            raise ApiError(400, "Required field is not set: version_aliases.")
        return self._registry.merge_aliases(call.model, changes)

    def delete(self, call: Call) -> dict[str, Any]:
        name = call.model.model
        self._registry.check_deletable(name)
        return self._operations.begin("deleteModel", name, {"name": name})

    def delete_version(self, call: Call) -> dict[str, Any]:
        name = call.model
        if name.version is None:
            raise ApiError(400, f"{name.model} names no version: add @VERSION.")
        number = self._registry.check_version_deletable(name).number
        return self._operations.begin(
            "deleteModelVersion", name.model, {"name": name.model, "version": number}
        )
