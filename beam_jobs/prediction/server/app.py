"""The routes: health, predict, metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from beam_jobs.prediction.models import Model
from beam_jobs.prediction.server.metrics import ServerMetrics
from beam_jobs.prediction.server.opening import open_served
from beam_jobs.prediction.server.problems import RefusedRequest, refused
from beam_jobs.prediction.server.service import Phase, PredictionService
from beam_jobs.prediction.server.settings import Settings

_CLIENT_GONE = 499
"""nginx's status for a client that went before its answer; nobody receives it."""

log = logging.getLogger(__name__)


def application(settings: Settings, service: PredictionService) -> Starlette:
    """The ASGI application; it begins to load the model when it starts."""
    metrics = ServerMetrics()
    routes = _Routes(settings, service, metrics)

    def open_model() -> Model:
        return open_served(settings.model_folder, settings.models_root, settings.sha256)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.load(open_model, lambda model: metrics.serves(model.manifest))
        yield

    return Starlette(
        routes=[
            Route(settings.health_route, routes.health, methods=["GET"]),
            Route(settings.predict_route, routes.predict, methods=["POST"]),
            Route("/metrics", routes.metrics, methods=["GET"]),
        ],
        exception_handlers={HTTPException: routes.no_such_route},
        lifespan=lifespan,
    )


class _Routes:
    def __init__(
        self, settings: Settings, service: PredictionService, metrics: ServerMetrics
    ) -> None:
        self._settings = settings
        self._service = service
        self._metrics = metrics

    async def health(self, _: Request) -> Response:
        phase = self._service.phase
        status = 200 if phase is Phase.READY else 503
        return _json({"status": phase.value}, status)

    async def predict(self, request: Request) -> Response:
        began = time.monotonic()
        response, instances = await self._predicted(request)
        self._metrics.answered(response.status_code, time.monotonic() - began, instances)
        return response

    async def metrics(self, _: Request) -> Response:
        self._metrics.under_way.set(self._service.under_way)
        return Response(self._metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def no_such_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        call = f"{request.method} {request.url.path}: {error.detail}"
        remedy = f"POST to {self._settings.predict_route}, GET {self._settings.health_route}"
        return _refusal(refused(error.status_code, call, remedy), error.headers)

    async def _predicted(self, request: Request) -> tuple[Response, int]:
        """The response, and how many instances were predicted."""
        try:
            with self._service.request():
                body = await _body(request, self._settings.most_bytes)
                answer = await self._service.predict(body)
        except RefusedRequest as refusal:
            return _refusal(refusal), 0
        except ClientDisconnect:
            return Response(status_code=_CLIENT_GONE), 0
        except Exception as error:
            log.exception("a prediction failed")
            remedy = "report it, with the request; the server's log says more"
            message = f"the server failed: {type(error).__name__}"
            return _refusal(refused(500, message, remedy)), 0
        return Response(answer.body, media_type="application/json"), answer.instances


async def _body(request: Request, most_bytes: int) -> bytes:
    """Raises RefusedRequest (413) before more than that is held."""
    announced = request.headers.get("content-length", "0")
    chunks, size = [], int(announced) if announced.isdigit() else 0
    if size <= most_bytes:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most_bytes:
                break
            chunks.append(chunk)
    if size > most_bytes:
        raise refused(
            413,
            f"the request is larger than {most_bytes} bytes",
            "send its instances in several requests",
        )
    return b"".join(chunks)


def _refusal(refusal: RefusedRequest, headers: object = None) -> Response:
    response = _json(refusal.body(), refusal.status)
    if isinstance(headers, dict):
        response.headers.update(headers)
    if refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def _json(content: object, status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
