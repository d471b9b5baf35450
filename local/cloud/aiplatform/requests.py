"""From a request to a call: where it is, what it says, and the answer as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.cloud.aiplatform.names import ModelName, Place
from local.cloud.config import CloudConfig
from local.cloud.http import json_body

_PLACE = "/projects/{project}/locations/{location}"
LOCATION = f"/v1{_PLACE}"
LOCATION_OF_REST_CLIENTS = f"/ui{_PLACE}"
"""Where the REST transport of google-cloud-aiplatform looks for operations, on the service too."""


@dataclass(frozen=True)
class Call:
    """A request: its place, the ids in its path, its query and body."""

    place: Place
    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]

    @property
    def endpoint(self) -> str:
        return self.place.endpoint(self.path["endpoint"])

    @property
    def model(self) -> ModelName:
        model, _, version = self.path["model"].partition("@")
        return ModelName(self.place.model(model), version or None)


@dataclass(frozen=True)
class Routing:
    """Makes routes of functions from a call to the JSON that answers it."""

    config: CloudConfig

    def route(
        self, method: str, path: str, answer: Callable[[Call], Any], location: str = LOCATION
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            call = self.call(request, await json_body(request))
            return JSONResponse(await run_in_threadpool(answer, call))

        return Route(location + path, endpoint, methods=[method])

    def call(self, request: Request, body: dict[str, Any]) -> Call:
        path = dict(request.path_params)
        place = Place.of(self.config, path.pop("project"), path.pop("location"))
        return Call(place, path, dict(request.query_params), body)
