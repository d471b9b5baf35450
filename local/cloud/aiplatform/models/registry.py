"""The Model Registry: models, their versions and aliases."""

from __future__ import annotations

from typing import Any

from local.cloud.aiplatform.documents import (
    check_etag,
    masked,
    not_found,
    precondition,
    received,
)
from local.cloud.aiplatform.models.aliases import DEFAULT, merged
from local.cloud.aiplatform.models.types import (
    Model,
    ModelContent,
    ModelVersion,
    UploadedModel,
    etag_of,
    view,
)
from local.cloud.aiplatform.names import ModelName, within
from local.cloud.aiplatform.references import References
from local.cloud.aiplatform.store import Collection, Store
from local.cloud.http import ApiError
from local.cloud.supervised import now

_OF_MODEL = {"display_name": str, "description": str, "labels": dict}
_OF_VERSION = {"version_description": str, "labels": dict}
_OUTPUT = (
    "versionId",
    "versionCreateTime",
    "versionUpdateTime",
    "supportedDeploymentResourcesTypes",
    "supportedExportFormats",
    "supportedInputStorageFormats",
    "supportedOutputStorageFormats",
    "deployedModels",
    "modelSourceInfo",
    "originalModelInfo",
)


class Registry:
    """Models and versions. Safe for many threads."""

    def __init__(self, store: Store, references: References) -> None:
        self._store = store
        self._models = Collection(store, "model", Model)
        self._versions = Collection(store, "version", ModelVersion)
        self._references = references

    def upload(self, name: str, sent: dict[str, Any]) -> ModelVersion:
        """Makes a model, or another version of it. Raises ApiError."""
        uploaded = received(UploadedModel, sent, "model", _OUTPUT)
        moment = now()
        with self._store.transaction():
            model = self._models.find(name) or Model(
                name=name,
                display_name=uploaded.display_name,
                description=uploaded.description,
                create_time=moment,
                update_time=moment,
            )
            number = str(model.next_version)
            first = [DEFAULT] if number == "1" else []
            content = {field: getattr(uploaded, field) for field in ModelContent.model_fields}
            self._versions.put(
                ModelVersion(
                    name=f"{name}@{number}",
                    content=ModelContent(**content),
                    aliases=[],
                    description=uploaded.version_description,
                    labels=uploaded.labels,
                    create_time=moment,
                    update_time=moment,
                )
            )
            changes = {"next_version": model.next_version + 1, "update_time": moment}
            self._models.put(model.model_copy(update=changes))
            self._merge(name, number, [*first, *uploaded.version_aliases])
            return self.version(ModelName(name, number))

    def exists(self, name: str) -> bool:
        return self._models.find(name) is not None

    def model(self, name: str) -> Model:
        """Raises ApiError 404."""
        model = self._models.find(name)
        if model is None:
            raise not_found("Model", name)
        return model

    def version(self, name: ModelName) -> ModelVersion:
        """The version of that number or alias, or the default one. Raises ApiError 404."""
        self.model(name.model)
        wanted = name.version or DEFAULT
        for version in self._versions.all(name.model):
            if wanted == version.number or wanted in version.aliases:
                return version
        raise not_found("Model version", f"{name.model}@{wanted}")

    def show(self, name: ModelName) -> dict[str, Any]:
        """The Model resource. Raises ApiError 404."""
        return self._view(self.version(name), versioned=name.version is not None)

    def show_all(self, parent: str) -> list[dict[str, Any]]:
        """The default versions of all models of a location."""
        return [self.show(ModelName(model.name, None)) for model in self._models.all(parent)]

    def show_versions(self, name: str) -> list[dict[str, Any]]:
        """Raises ApiError 404."""
        self.model(name)
        return [self._view(version, versioned=True) for version in self._versions.all(name)]

    def merge_aliases(self, name: ModelName, changes: list[str]) -> dict[str, Any]:
        """Gives aliases to a version and takes those with a `-` from it. Raises ApiError."""
        with self._store.transaction():
            version = self.version(name)
            self._merge(name.model, version.number, changes)
            return self.show(ModelName(name.model, version.number))

    def update(self, name: ModelName, body: dict[str, Any], mask: str | None) -> dict[str, Any]:
        """Changes the model or, where the name has a version, that one. Raises ApiError."""
        of_version = name.version not in (None, "-")
        changes = masked(body, mask, _OF_VERSION if of_version else _OF_MODEL)
        name = name if of_version else ModelName(name.model, None)
        with self._store.transaction():
            version, model = self.version(name), self.model(name.model)
            check_etag(etag_of(model, version), body)
            if of_version:
                if "version_description" in changes:
                    changes["description"] = changes.pop("version_description")
                self._versions.put(version.model_copy(update={**changes, "update_time": now()}))
            else:
                self._models.put(model.model_copy(update={**changes, "update_time": now()}))
            return self.show(name)

    def check_version_deletable(self, name: ModelName) -> ModelVersion:
        """The version in question. Raises ApiError."""
        version = self.version(name)
        if len(self._versions.all(name.model)) == 1:
            raise precondition(
                f"{version.name} is the only version: delete the model itself instead."
            )
        if DEFAULT in version.aliases:
            raise precondition(
                f"{version.name} is the default version: give the alias default to another first."
            )
        self._check_not_deployed(version)
        return version

    def delete_version(self, name: ModelName) -> None:
        """Raises ApiError."""
        self._versions.delete(self.check_version_deletable(name).name)

    def check_deletable(self, name: str) -> None:
        """Raises ApiError."""
        self.model(name)
        for version in self._versions.all(name):
            self._check_not_deployed(version)

    def delete(self, name: str) -> None:
        """With all versions and evaluations. Raises ApiError."""
        self.check_deletable(name)
        self._store.delete_below(name)
        self._models.delete(name)

    def _view(self, version: ModelVersion, *, versioned: bool) -> dict[str, Any]:
        deployed = self._references.deployed_from(version.name)
        return view(self.model(within(version.name)), version, deployed, versioned=versioned)

    def _merge(self, model: str, number: str, changes: list[str]) -> None:
        versions = {version.number: version for version in self._versions.all(model)}
        current = {number: version.aliases for number, version in versions.items()}
        for changed, aliases in merged(current, number, changes).items():
            if aliases != current[changed]:
                update = {"aliases": aliases, "update_time": now()}
                self._versions.put(versions[changed].model_copy(update=update))

    def _check_not_deployed(self, version: ModelVersion) -> None:
        deployed = self._references.deployed_from(version.name)
        if deployed:
            raise precondition(
                f"{version.name} is deployed to {', '.join(d['endpoint'] for d in deployed)}: "
                "undeploy it first."
            )


def check_upload(registry: Registry, parent: str, sent: dict[str, Any]) -> None:
    """What can be told before the operation begins. Raises ApiError."""
    uploaded = received(UploadedModel, sent, "model", _OUTPUT)
    merged({}, "1", uploaded.version_aliases)
    if any(alias.startswith("-") for alias in uploaded.version_aliases):
        raise ApiError(400, "version_aliases of an upload name what to give, without a dash.")
    if parent and not registry.exists(parent):
        raise not_found("Model", parent)
