"""Endpoints and the models deployed to them: what is sent, kept and answered."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from local.cloud.aiplatform.documents import Document, etag
from local.cloud.aiplatform.endpoints.traffic import Split
from local.cloud.aiplatform.store import Named


class MachineSpec(Document):
    machine_type: str = ""


class DedicatedResources(Document):
    """Kept, and not acted upon: one process serves a deployed model."""

    machine_spec: MachineSpec
    min_replica_count: int = Field(ge=1)
    max_replica_count: int = 0
    required_replica_count: int = 0
    autoscaling_metric_specs: list[dict[str, Any]] = []
    spot: bool = False


class Deployment(Document):
    """A model to be deployed, as a client asks for it."""

    id: str = Field("", pattern=r"^(0|[1-9][0-9]{0,9})?$")
    model: str
    display_name: str = ""
    dedicated_resources: DedicatedResources
    service_account: str = ""
    enable_access_logging: bool = False
    disable_container_logging: bool = False


class DeployedModel(Document):
    """A model that is deployed; `model` is its name without a version."""

    id: str
    model: str
    model_version_id: str
    display_name: str
    create_time: str
    dedicated_resources: DedicatedResources
    service_account: str = ""
    enable_access_logging: bool = False
    disable_container_logging: bool = False

    @property
    def version(self) -> str:
        """The whole name of the version."""
        return f"{self.model}@{self.model_version_id}"


class NewEndpoint(Document):
    """An endpoint as a client creates it."""

    display_name: str = Field(min_length=1, max_length=128)
    description: str = ""
    labels: dict[str, str] = {}


class Endpoint(Named):
    """An endpoint as it is kept."""

    display_name: str
    description: str
    labels: dict[str, str]
    deployed_models: list[DeployedModel] = []
    traffic_split: Split = {}
    create_time: str
    update_time: str

    def deployed(self, deployed_id: str) -> DeployedModel | None:
        return next((d for d in self.deployed_models if d.id == deployed_id), None)

    def view(self) -> dict[str, Any]:
        """The Endpoint resource."""
        deployed = [model.json_fields() for model in self.deployed_models]
        shown = {**self.json_fields(), "deployedModels": deployed, "etag": etag(self)}
        return {name: value for name, value in shown.items() if value not in ([], {})}
