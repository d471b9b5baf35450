"""Vertex AI by its REST API: what is deployed where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.aiplatform_v1 import EndpointServiceClient, ModelServiceClient
from google.cloud.aiplatform_v1.types import Endpoint

from beam_jobs.prediction.remote.deployment import Deployed, deployment_of, endpoint_of
from beam_jobs.prediction.versions import ModelError
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec import EnvironmentSpec
from beam_jobs.spec.model import EndpointSpec
from nightstream.hooks.vertex_api import VertexApi


class VertexHook(VertexApi):
    """The endpoints of an environment, as plans pin them."""

    def __init__(self, environment: EnvironmentSpec, spec: EndpointSpec) -> None:
        super().__init__(environment, spec.region)
        self._spec = spec

    def pin(self, folder: str | None) -> EndpointPin:
        """The endpoint that the spec names, as jobs ask it.

        folder: the version that alone may answer a night; None: whatever has the traffic. Raises
        ModelError; where Vertex AI cannot be asked now, Google's own errors.
        """
        try:
            return self._pin(folder)
        except Forbidden as error:
            raise ModelError(
                f"the endpoint {self._spec.name} cannot be looked at: {error}. Remedy: let the "
                f"account of the connection {self.environment.airflow.gcp_conn_id} have "
                "aiplatform.endpoints.get, aiplatform.endpoints.list and aiplatform.models.get"
            ) from error

    def _pin(self, folder: str | None) -> EndpointPin:
        endpoint = self.find()
        deployed = None
        if folder is not None:
            found = list(self.deployed(endpoint))
            deployed = deployment_of(folder, endpoint.name, found, dict(endpoint.traffic_split))
        address = self.address
        if self.is_google and endpoint.dedicated_endpoint_enabled:
            address = f"https://{endpoint.dedicated_endpoint_dns}"
        return EndpointPin(name=endpoint.name, address=address, deployed_model_id=deployed)

    def find(self) -> Endpoint:
        """By id, else by display name. Raises ModelError."""
        client: Any = self.client(EndpointServiceClient)
        name = self._spec.name
        if name.isdecimal():
            try:
                return client.get_endpoint(name=f"{self.parent}/endpoints/{name}")
            except NotFound as error:
                raise ModelError(
                    f"{self.parent} has no endpoint {name}. Remedy: create it, or correct "
                    "model.endpoint in the spec"
                ) from error
        request = {"parent": self.parent, "filter": f'display_name="{name}"'}
        found = {endpoint.name: endpoint for endpoint in client.list_endpoints(request=request)}
        return found[endpoint_of(name, list(found))]

    def deployed(self, endpoint: Endpoint) -> Iterator[Deployed]:
        """What is deployed on it, each with the folder of its version."""
        client: Any = self.client(ModelServiceClient)
        for model in endpoint.deployed_models:
            version = f"{model.model}@{model.model_version_id}"
            yield Deployed(model.id, client.get_model(name=version).artifact_uri)
