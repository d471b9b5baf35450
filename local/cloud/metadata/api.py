"""The GCE metadata server and an OAuth token endpoint, so that clients find credentials at once."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.config import CloudConfig
from local.cloud.metadata import impersonation

_FLAVOR = {"Metadata-Flavor": "Google", "Server": "Metadata Server for VM"}
_LIFETIME_S = 3600
_ACCOUNT_ID = "123456789012"
_TOKEN = "local-cloud"
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class MetadataApi:
    def __init__(self, config: CloudConfig) -> None:
        self._config = config
        # As on GKE with workload identity. Of a service account's address google-auth would ask
        # Google, on the internet, in which regions it may be used.
        self._number = config.number_of(config.project)
        self._account = f"{config.project}.svc.id.goog"

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.ping, methods=["GET"]),
            Route("/computeMetadata/v1", self.read, methods=["GET"]),
            Route("/computeMetadata/v1/{path:path}", self.read, methods=["GET"]),
            Route("/token", self.exchange, methods=["POST"]),
            *impersonation.routes(_TOKEN),
        ]

    def start(self) -> None:
        """Nothing is kept."""

    def stop(self) -> None:
        """Nothing is kept."""

    def ping(self, _: Request) -> Response:
        """How clients find out that they run on Google Cloud."""
        return PlainTextResponse("computeMetadata/\n", headers=_FLAVOR)

    def read(self, request: Request) -> Response:
        """A value as text, a folder as a listing or, with `recursive=true`, as JSON."""
        if request.headers.get("metadata-flavor") != "Google":
            return PlainTextResponse(
                "Missing Metadata-Flavor:Google header.", status_code=403, headers=_FLAVOR
            )
        tree = self._tree(request.query_params.get("audience", ""))
        node: Any = tree
        for step in request.path_params.get("path", "").strip("/").split("/"):
            if step:
                node = node.get(step) if isinstance(node, dict) else None
        if node is None:
            return PlainTextResponse("Not Found", status_code=404, headers=_FLAVOR)
        if isinstance(node, dict) and request.query_params.get("recursive") == "true":
            return JSONResponse(_camel_case(node), headers=_FLAVOR)
        if isinstance(node, dict):
            listing = [f"{name}/" if isinstance(node[name], dict) else name for name in node]
            return PlainTextResponse("\n".join(listing) + "\n", headers=_FLAVOR)
        if isinstance(node, _Json):
            return JSONResponse(node.value, headers=_FLAVOR)
        return PlainTextResponse(
            "\n".join(node) if isinstance(node, list) else str(node), headers=_FLAVOR
        )

    def exchange(self, _: Request) -> Response:
        """The `token_uri` of a service account's key file: any assertion is good."""
        return JSONResponse({**_access_token(), "id_token": _id_token(self._account, "")})

    def _tree(self, audience: str) -> dict[str, Any]:
        account = {
            "aliases": ["default"],
            "email": self._account,
            "identity": _id_token(self._account, audience),
            "scopes": _SCOPES,
            "token": _Json(_access_token()),
        }
        return {
            "instance": {
                "attributes": {},
                "hostname": "local-cloud",
                "id": int(self._number),
                "name": "local-cloud",
                "region": f"projects/{self._number}/regions/us-central1",
                "service-accounts": {"default": account, self._account: account},
                "zone": f"projects/{self._number}/zones/us-central1-a",
            },
            "project": {
                "attributes": {},
                "numeric-project-id": int(self._number),
                "project-id": self._config.project,
            },
            "universe": {"universe-domain": "googleapis.com"},
        }


class _Json:
    """A value that is served as JSON, and left out of recursive answers."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value


def _camel_case(node: Mapping[str, Any]) -> dict[str, Any]:
    """A folder as the metadata server writes it in JSON; secrets stay out, as there."""
    shown: dict[str, Any] = {}
    for name, value in node.items():
        if isinstance(value, _Json) or name == "identity":
            continue
        first, *rest = name.split("-") if "@" not in name else [name]
        key = first + "".join(word.capitalize() for word in rest)
        shown[key] = _camel_case(value) if isinstance(value, dict) else value
    return shown


def _access_token() -> dict[str, Any]:
    return {"access_token": _TOKEN, "expires_in": _LIFETIME_S, "token_type": "Bearer"}


def _id_token(email: str, audience: str) -> str:
    """A JWT that reads well and proves nothing: its signature is empty of meaning."""
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": audience,
        "email": email,
        "sub": _ACCOUNT_ID,
        "iat": now,
        "exp": now + _LIFETIME_S,
    }
    parts = [json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps(claims), "local-cloud"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)
