"""What refers to what: the deployed models that were made from a version of a model."""

from __future__ import annotations

from local.cloud.aiplatform.endpoints.types import Endpoint
from local.cloud.aiplatform.store import Collection, Store


class References:
    """Looks through all endpoints, of every project and location."""

    def __init__(self, store: Store) -> None:
        self._endpoints = Collection(store, "endpoint", Endpoint)

    def deployed_from(self, version: str) -> list[dict[str, str]]:
        """As DeployedModelRef, for the whole name of a version."""
        return [
            {"endpoint": endpoint.name, "deployedModelId": deployed.id}
            for endpoint in self._endpoints.all()
            for deployed in endpoint.deployed_models
            if f"{deployed.model}@{deployed.model_version_id}" == version
        ]
