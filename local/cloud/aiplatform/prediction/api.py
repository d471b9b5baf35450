"""Predictions: predict and rawPredict, answered by the containers of deployed models."""

from __future__ import annotations

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.cloud.aiplatform.models.registry import Registry
from local.cloud.aiplatform.prediction.container_client import ContainerClient
from local.cloud.aiplatform.prediction.corruption import corrupted
from local.cloud.aiplatform.prediction.messages import (
    check_request,
    check_size,
    predict_answer,
    raw_headers,
)
from local.cloud.aiplatform.prediction.routing import Router, Target
from local.cloud.aiplatform.requests import LOCATION, Routing
from local.cloud.config import CloudConfig
from local.cloud.faults.armed import corruption

_JSON = "application/json"


class PredictionApi:
    def __init__(self, config: CloudConfig, registry: Registry, router: Router) -> None:
        self._routing = Routing(config)
        self._registry = registry
        self._router = router
        self._client = ContainerClient()

    def routes(self) -> list[BaseRoute]:
        endpoint = LOCATION + "/endpoints/{endpoint}"
        return [
            Route(endpoint + ":predict", self.predict, methods=["POST"]),
            Route(endpoint + ":rawPredict", self.raw_predict, methods=["POST"]),
        ]

    def close(self) -> None:
        self._client.close()

    async def predict(self, request: Request) -> Response:
        body = await request.body()
        check_size(body)
        check_request(body)
        target = await self._target(request)
        answer = await self._client.post(target.url, body, _JSON)
        display_name = self._registry.model(target.deployed.model).display_name
        shown = predict_answer(answer, target.deployed, display_name)
        return _response(request, orjson.dumps(shown), _JSON, 200, {})

    async def raw_predict(self, request: Request) -> Response:
        """Passes on what comes, and what the container answers with its status."""
        body = await request.body()
        check_size(body)
        target = await self._target(request)
        content_type = request.headers.get("content-type", _JSON)
        answer = await self._client.post(target.url, body, content_type)
        headers = raw_headers(target.endpoint, target.deployed)
        return _response(request, answer.body, answer.content_type, answer.status, headers)

    async def _target(self, request: Request) -> Target:
        name = self._routing.call(request, {}).endpoint
        return await run_in_threadpool(self._router.target, name)


def _response(
    request: Request, body: bytes, content_type: str, status: int, headers: dict[str, str]
) -> Response:
    """The answer, unless a fault corrupts it."""
    how = corruption(request.method, request.url.path)
    if how is not None:
        body, content_type = corrupted(how, body)
    return Response(body, status, {**headers, "content-type": content_type})
