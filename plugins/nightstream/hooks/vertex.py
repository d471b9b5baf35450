"""Vertex AI by its REST API: what is deployed where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import NotFound
from google.cloud.aiplatform_v1 import EndpointServiceClient, ModelServiceClient
from google.cloud.aiplatform_v1.types import Endpoint

from beam_jobs.prediction.remote.deployment import Deployed, deployment_of, endpoint_of
from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec import EnvironmentSpec
from beam_jobs.spec.model import EndpointSpec


class VertexHook(GoogleBaseHook):
    """The endpoints of an environment, as plans pin them."""

    def __init__(self, environment: EnvironmentSpec, spec: EndpointSpec) -> None:
        super().__init__(gcp_conn_id=environment.airflow.gcp_conn_id)
        region = spec.region or environment.vertex.region or environment.dataflow.region
        google = f"https://{region}-aiplatform.googleapis.com"
        self._spec = spec
        self._address = (environment.vertex.endpoint or google).rstrip("/")
        self._is_google = environment.vertex.endpoint is None
        self._parent = f"projects/{environment.project}/locations/{region}"

    def pin(self, folder: str | None) -> EndpointPin:
        """The endpoint that the spec names, as jobs ask it.

        folder: the version that alone may answer a night; None: whatever has the traffic. Raises
        ModelError.
        """
        endpoint = self._find()
        deployed = None
        if folder is not None:
            found = list(self._deployed(endpoint))
            deployed = deployment_of(folder, endpoint.name, found, dict(endpoint.traffic_split))
        address = self._address
        if self._is_google and endpoint.dedicated_endpoint_enabled:
            address = f"https://{endpoint.dedicated_endpoint_dns}"
        return EndpointPin(name=endpoint.name, address=address, deployed_model_id=deployed)

    def _find(self) -> Endpoint:
        """By id, else by display name."""
        client: Any = self._client(EndpointServiceClient)
        name = self._spec.name
        if name.isdecimal():
            try:
                return client.get_endpoint(name=f"{self._parent}/endpoints/{name}")
            except NotFound as error:
                raise ModelError(
                    f"{self._parent} has no endpoint {name}. Remedy: create it, or correct "
                    "model.endpoint in the spec"
                ) from error
        request = {"parent": self._parent, "filter": f'display_name="{name}"'}
        found = {endpoint.name: endpoint for endpoint in client.list_endpoints(request=request)}
        return found[endpoint_of(name, list(found))]

    def _deployed(self, endpoint: Endpoint) -> Iterator[Deployed]:
        client: Any = self._client(ModelServiceClient)
        for model in endpoint.deployed_models:
            version = f"{model.model}@{model.model_version_id}"
            yield Deployed(model.id, client.get_model(name=version).artifact_uri)

    def _client(self, of: type[Any]) -> Any:
        options = ClientOptions(api_endpoint=self._address)
        return of(credentials=self.get_credentials(), client_options=options, transport="rest")
