"""The way to Vertex AI's REST API."""

from __future__ import annotations

from typing import Any

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
from google.api_core.client_options import ClientOptions

from beam_jobs.spec import EnvironmentSpec


class VertexApi(GoogleBaseHook):
    """Vertex AI of an environment, in one region.

    region: the environment's where it is left out.
    """

    def __init__(self, environment: EnvironmentSpec, region: str | None = None) -> None:
        super().__init__(gcp_conn_id=environment.airflow.gcp_conn_id)
        region = region or environment.vertex.region or environment.dataflow.region
        google = f"https://{region}-aiplatform.googleapis.com"
        self.environment = environment
        self.address = (environment.vertex.endpoint or google).rstrip("/")
        self.is_google = environment.vertex.endpoint is None
        self.parent = f"projects/{environment.project}/locations/{region}"

    def client(self, of: type[Any]) -> Any:
        """A client of one of the API's services."""
        options = ClientOptions(api_endpoint=self.address)
        return of(credentials=self.get_credentials(), client_options=options, transport="rest")
