"""A local cloud with an image of a tiny prediction server, and the SDK pointed at it."""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform

from tests.support.local_cloud import PROJECT, ROOT, ObservedCloud
from tests.support.patience import PATIENCE_S

LOCATION = "us-central1"
PLACE = f"projects/{PROJECT}/locations/{LOCATION}"
IMAGE = "us-docker.pkg.dev/scoring/tiny:1"
NO_ENTRYPOINT = "us-docker.pkg.dev/scoring/plain:1"


@dataclass
class VertexCloud:
    """One server and what its tests do with it."""

    server: ObservedCloud

    @classmethod
    def started(cls, folder: Path, *arguments: str) -> VertexCloud:
        stands_for = f"{sys.executable}:{ROOT}"
        images = ["--image", f"{IMAGE}={stands_for}", "--image", f"{NO_ENTRYPOINT}={stands_for}"]
        entrypoint = ["--entrypoint", f"{IMAGE}=python -m tests.support.tiny_container"]
        return cls(ObservedCloud(folder / "data", [*images, *entrypoint, *arguments]).start())

    def point_sdk_here(self) -> None:
        aiplatform.init(
            project=PROJECT,
            location=LOCATION,
            api_endpoint=self.server.url,
            api_transport="rest",
            credentials=AnonymousCredentials(),
        )

    def client(self, of: type[Any]) -> Any:
        """A client of one service of the API, as the SDK is built on."""
        options = ClientOptions(api_endpoint=self.server.url)
        return of(credentials=AnonymousCredentials(), client_options=options, transport="rest")

    def post(self, path: str, body: bytes) -> requests.Response:
        """A plain call, for what the SDK cannot send or does not show."""
        headers = {"Content-Type": "application/json"}
        return requests.post(self.server.url + path, body, headers=headers, timeout=PATIENCE_S)

    def get(self, path: str) -> requests.Response:
        return requests.get(self.server.url + path, timeout=PATIENCE_S)

    def raw_predict(self, endpoint: aiplatform.Endpoint, body: Any) -> requests.Response:
        """The SDK's own rawPredict goes to Google, whatever endpoint it is given."""
        path = f"/v1/{endpoint.resource_name}:rawPredict"
        return self.post(path, json.dumps(body).encode())

    def upload(self, **arguments: Any) -> aiplatform.Model:
        given = {
            "display_name": f"model-{uuid.uuid4().hex[:8]}",
            "serving_container_image_uri": IMAGE,
            "serving_container_predict_route": "/predict",
            "serving_container_health_route": "/health",
            **arguments,
        }
        return aiplatform.Model.upload(**given)

    def endpoint(self, **arguments: Any) -> aiplatform.Endpoint:
        name = f"endpoint-{uuid.uuid4().hex[:8]}"
        return aiplatform.Endpoint.create(display_name=name, **arguments)
