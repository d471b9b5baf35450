"""The methods of operations: each is on a model or an endpoint, and listed by location too."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.routing import BaseRoute

from local.cloud.aiplatform.listing import listed
from local.cloud.aiplatform.operations import Operations
from local.cloud.aiplatform.requests import (
    LOCATION,
    LOCATION_OF_REST_CLIENTS,
    Call,
    Routing,
)
from local.cloud.config import CloudConfig
from local.cloud.http import ApiError, unsupported

_OF = ("/models/{model}", "/endpoints/{endpoint}")
_LONGEST_WAIT_S = 30.0


class OperationsApi:
    def __init__(self, config: CloudConfig, operations: Operations) -> None:
        self._config = config
        self._operations = operations

    def routes(self) -> list[BaseRoute]:
        listed = [Routing(self._config).route("GET", "/operations", self.list)]
        return listed + [
            route
            for location in (LOCATION, LOCATION_OF_REST_CLIENTS)
            for of in _OF
            for route in self._routes(location, of)
        ]

    def _routes(self, location: str, of: str) -> list[BaseRoute]:
        every, one = f"{of}/operations", f"{of}/operations/{{operation}}"
        route = partial(Routing(self._config).route, location=location)
        return [
            route("GET", every, self.list),
            route("POST", f"{one}:wait", self.wait),
            route("GET", one, self.get),
            route("DELETE", one, self.delete),
        ]

    def get(self, call: Call) -> dict[str, Any]:
        return self._operations.get(_name(call))

    def wait(self, call: Call) -> dict[str, Any]:
        text = call.query.get("timeout", f"{_LONGEST_WAIT_S:g}s")
        try:
            seconds = float(text.removesuffix("s"))
        except ValueError as error:
            raise ApiError(400, f"Invalid timeout {text!r}: seconds, e.g. 10s.") from error
        return self._operations.get(_name(call), min(seconds, _LONGEST_WAIT_S))

    def list(self, call: Call) -> dict[str, Any]:
        if call.query.get("filter"):
            raise unsupported("listing operations by a filter")
        shown = self._operations.under(_parent(call))
        return listed("operations", shown, call.query)

    def delete(self, call: Call) -> dict[str, Any]:
        self._operations.delete(_name(call))
        return {}


def _parent(call: Call) -> str:
    if "model" in call.path:
        return call.model.model
    return call.endpoint if "endpoint" in call.path else call.place.name


def _name(call: Call) -> str:
    return f"{_parent(call)}/operations/{call.path['operation']}"
