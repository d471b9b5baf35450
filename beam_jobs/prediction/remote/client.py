"""The border to a Vertex AI endpoint: one HTTP request for predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import google.auth
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter

from beam_jobs.runs.plan import EndpointPin

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
DEPLOYED_MODEL_ID = "x-vertex-ai-deployed-model-id"
"""Header by which Vertex AI says which deployed model answered a rawPredict."""


class Reply(NamedTuple):
    """What came back, whatever it is."""

    status: int
    headers: Mapping[str, str]
    """By name, in any case."""
    body: bytes


class EndpointClient:
    """`rawPredict` of one endpoint, for as many threads as there are connections.

    The way of `aiplatform.Endpoint.raw_predict`, which knows no other host than Google's:
    google-auth's session, and the body as it is. `predict` makes a protobuf Value of each number
    and back, which takes the client thirty times as long, and lets nothing of an answer through but
    its predictions: not which version made them. The library's generated client wraps the body of
    a rawPredict over REST in another JSON object. An answer 401 refreshes the token once.
    """

    def __init__(
        self,
        pin: EndpointPin,
        connections: int,
        timeout_seconds: float,
        credentials: Credentials | None = None,
    ) -> None:
        found = credentials or google.auth.default(scopes=_SCOPES)[0]
        self._session = AuthorizedSession(found, max_refresh_attempts=1)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=connections))
        self._url = f"{pin.address}/v1/{pin.name}:rawPredict"
        self._timeout = timeout_seconds

    def predict(self, body: bytes) -> Reply:
        """Raises requests.RequestException or GoogleAuthError where nothing came back."""
        response = self._session.post(
            self._url,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=self._timeout,
            allow_redirects=False,
        )
        return Reply(response.status_code, response.headers, response.content)
