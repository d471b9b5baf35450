"""Endpoints: creating, finding, changing them, and what is deployed to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud.aiplatform.documents import (
    check_etag,
    etag,
    masked,
    not_found,
    precondition,
    received,
)
from local.cloud.aiplatform.endpoints import traffic
from local.cloud.aiplatform.endpoints.types import DeployedModel, Endpoint, NewEndpoint
from local.cloud.aiplatform.store import Collection, Store
from local.cloud.http import ApiError
from local.cloud.supervised import now

_UPDATABLE = {"display_name": str, "description": str, "labels": dict, "traffic_split": dict}


class Endpoints:
    """Safe for many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._endpoints = Collection(store, "endpoint", Endpoint)

    def create(self, name: str, sent: dict[str, Any]) -> Endpoint:
        """Raises ApiError."""
        new = check_new(sent)
        if self._endpoints.find(name):
            raise ApiError(409, f"The Endpoint exists already: {name}", "alreadyExists")
        moment = now()
        endpoint = Endpoint(name=name, **new.model_dump(), create_time=moment, update_time=moment)
        self._endpoints.put(endpoint)
        return endpoint

    def get(self, name: str) -> Endpoint:
        """Raises ApiError 404."""
        endpoint = self._endpoints.find(name)
        if endpoint is None:
            raise not_found("Endpoint", name)
        return endpoint

    def all(self, parent: str | None = None) -> list[Endpoint]:
        """Those of a location, or all."""
        return self._endpoints.all(parent)

    def update(self, name: str, body: dict[str, Any], mask: str | None) -> Endpoint:
        """Raises ApiError."""
        changes = masked(body, mask, _UPDATABLE)
        with self._store.transaction():
            endpoint = self.get(name)
            check_etag(etag(endpoint), body)
            if "traffic_split" in changes:
                deployed = [model.id for model in endpoint.deployed_models]
                changes["traffic_split"] = traffic.checked(changes["traffic_split"], deployed)
            return self._changed(endpoint, changes)

    def delete(self, name: str) -> None:
        """Raises ApiError."""
        self.check_deletable(name)
        self._endpoints.delete(name)

    def check_deletable(self, name: str) -> None:
        """Raises ApiError."""
        deployed = [model.id for model in self.get(name).deployed_models]
        if deployed:
            raise precondition(
                f"{name} has deployed models ({', '.join(deployed)}): undeploy them first."
            )

    def add(self, name: str, model: DeployedModel, split: Mapping[str, int]) -> Endpoint:
        """Adds a deployed model; `split` names it "0" and, if empty, leaves the traffic as it is.

        Raises ApiError.
        """
        with self._store.transaction():
            endpoint = self.get(name)
            models = [*endpoint.deployed_models, model]
            changes: dict[str, Any] = {"deployed_models": models}
            if split:
                wanted = traffic.with_new(split, model.id)
                changes["traffic_split"] = traffic.checked(wanted, [m.id for m in models])
            return self._changed(endpoint, changes)

    def remove(self, name: str, deployed_id: str, split: Mapping[str, int] | None) -> Endpoint:
        """Takes a deployed model away. Raises ApiError."""
        with self._store.transaction():
            endpoint = self.get(name)
            left = [m for m in endpoint.deployed_models if m.id != deployed_id]
            changes = {
                "deployed_models": left,
                "traffic_split": split_without(endpoint, deployed_id, split),
            }
            return self._changed(endpoint, changes)

    def _changed(self, endpoint: Endpoint, changes: dict[str, Any]) -> Endpoint:
        changed = endpoint.model_copy(update={**changes, "update_time": now()})
        self._endpoints.put(changed)
        return changed


def check_new(sent: dict[str, Any]) -> NewEndpoint:
    """Raises ApiError."""
    return received(NewEndpoint, sent, "endpoint", ("deployedModels", "trafficSplit"))


def split_without(
    endpoint: Endpoint, deployed_id: str, asked: Mapping[str, int] | None
) -> traffic.Split:
    """The traffic once a deployed model is gone. Raises ApiError."""
    if endpoint.deployed(deployed_id) is None:
        raise not_found("DeployedModel", f"{deployed_id} of {endpoint.name}")
    left = [m.id for m in endpoint.deployed_models if m.id != deployed_id]
    split = traffic.without(endpoint.traffic_split, asked, deployed_id, len(left))
    return traffic.checked(split, left)
