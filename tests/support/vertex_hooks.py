"""The google provider's hooks of Vertex AI, pointed at a local cloud."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.google.cloud.hooks.vertex_ai.endpoint_service import EndpointServiceHook
from airflow.providers.google.cloud.hooks.vertex_ai.model_service import ModelServiceHook
from google.api_core.client_options import ClientOptions
from google.cloud.aiplatform_v1 import (
    EndpointServiceClient,
    ModelServiceClient,
)

_CLIENTS: dict[str, tuple[type, type]] = {
    "get_endpoint_service_client": (EndpointServiceHook, EndpointServiceClient),
    "get_model_service_client": (ModelServiceHook, ModelServiceClient),
}


def point_vertex_hooks_at(url: str, patch: pytest.MonkeyPatch) -> None:
    """Their clients speak gRPC to Google, whatever a connection says: others, by REST, to `url`."""
    for method, (hook, client) in _CLIENTS.items():
        patch.setattr(hook, method, _maker_of(client, url))


def _maker_of(client: type, url: str) -> Any:
    def made(hook: Any, region: str | None = None) -> Any:  # noqa: ARG001
        options = ClientOptions(api_endpoint=url)
        return client(credentials=hook.get_credentials(), client_options=options, transport="rest")

    return made
