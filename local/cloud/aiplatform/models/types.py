"""Models: what is uploaded, what is kept, what is answered."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from local.cloud.aiplatform.documents import Document, etag
from local.cloud.aiplatform.store import Named


class EnvVar(Document):
    name: str = Field(pattern=r"^[A-Za-z_]\w*$")
    value: str = ""


class Port(Document):
    container_port: int = Field(ge=1, le=65535)


class ContainerSpec(Document):
    """The container that serves a model."""

    image_uri: str = Field(min_length=1)
    command: list[str] = []
    args: list[str] = []
    env: list[EnvVar] = Field([], max_length=200)
    ports: list[Port] = []
    predict_route: str = Field("", pattern=r"^(/.*)?$")
    health_route: str = Field("", pattern=r"^(/.*)?$")
    deployment_timeout: str = Field("", pattern=r"^(\d+(\.\d+)?s)?$")


class ModelContent(Document):
    """What a version is made of; it never changes."""

    container_spec: ContainerSpec | None = None
    artifact_uri: str = Field("", pattern=r"^(gs://.+)?$")
    predict_schemata: dict[str, str] = {}
    metadata_schema_uri: str = ""
    metadata: Any = None


class UploadedModel(ModelContent):
    """A model as a client uploads it."""

    display_name: str = Field(min_length=1, max_length=128)
    description: str = ""
    version_description: str = ""
    version_aliases: list[str] = []
    labels: dict[str, str] = {}


class Model(Named):
    """What all versions of a model share; `name` has no version."""

    display_name: str
    description: str
    labels: dict[str, str] = {}
    next_version: int = 1
    create_time: str
    update_time: str


class ModelVersion(Named):
    """One version; `name` ends with @ and its number."""

    content: ModelContent
    aliases: list[str]
    description: str
    labels: dict[str, str]
    create_time: str
    update_time: str

    @property
    def number(self) -> str:
        return self.name.partition("@")[2]


def view(
    model: Model, version: ModelVersion, deployed: list[dict[str, Any]], *, versioned: bool
) -> dict[str, Any]:
    """The Model resource; its name says the version where the client asked for one.

    `deployed` are references to the deployed models made from this version.
    """
    resources = ["DEDICATED_RESOURCES"] if version.content.container_spec else []
    shown = {
        "name": version.name if versioned else model.name,
        "displayName": model.display_name,
        "description": model.description,
        "versionId": version.number,
        "versionAliases": version.aliases,
        "versionDescription": version.description,
        "versionCreateTime": version.create_time,
        "versionUpdateTime": version.update_time,
        "createTime": model.create_time,
        "updateTime": max(model.update_time, version.update_time),
        "labels": {**model.labels, **version.labels},
        "supportedDeploymentResourcesTypes": resources,
        "deployedModels": deployed,
        "etag": etag_of(model, version),
        **version.content.json_fields(),
    }
    if version.content.container_spec:
        shown["containerSpec"] = version.content.container_spec.json_fields()
    return {name: value for name, value in shown.items() if value not in (None, "", [], {})}


def etag_of(model: Model, version: ModelVersion) -> str:
    """Changes with what an update may change: other versions and aliases come and go."""
    of_model = etag(model, ("display_name", "description", "labels"))
    return of_model + etag(version, ("description", "labels"))
