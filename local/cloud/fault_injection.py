"""Faults at requests, for every API of the server, and the endpoint that arms them."""

from __future__ import annotations

import asyncio

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.cloud.connection import reset
from local.cloud.faults import Fault, Faults, crash
from local.cloud.http import ApiError, json_body

ADMIN_PATH = "/_local/faults"


class FaultsApi:
    """`POST` arms a fault (fields of `Fault`), `GET` shows all, `DELETE` disarms one or all."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        return [
            Route(ADMIN_PATH, self.arm, methods=["POST"]),
            Route(ADMIN_PATH, self.show, methods=["GET"]),
            Route(ADMIN_PATH, self.disarm, methods=["DELETE"]),
            Route(ADMIN_PATH + "/{id}", self.disarm, methods=["DELETE"]),
        ]

    async def arm(self, request: Request) -> Response:
        try:
            fault = Fault.model_validate(await json_body(request))
        except ValidationError as error:
            raise ApiError(400, f"not a fault: {error}", "invalid") from error
        return JSONResponse(self._faults.arm(fault))

    def show(self, _: Request) -> Response:
        return JSONResponse({"faults": self._faults.shown()})

    def disarm(self, request: Request) -> Response:
        self._faults.disarm(request.path_params.get("id"))
        return Response(status_code=204)


class FaultInjection:
    """ASGI middleware: lets requests pass, unless a fault strikes them."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith(ADMIN_PATH):
            fault = self._faults.at_request(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "latency":
            await self._delayed(fault, scope, receive, send)
        else:
            if fault.when == "after":
                await self._app(scope, receive, _nowhere)
            await _strike(fault, scope, receive, send)

    async def _delayed(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        async def late(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(fault.seconds)
            await send(message)

        if fault.when == "before":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, late)


async def _strike(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    if fault.kind == "crash":
        crash()
    if fault.kind == "error":
        await fault.error().response()(scope, receive, send)
        return
    if fault.kind == "reset":
        reset(scope)
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nowhere(_: Message) -> None:
    """Where an answer goes that its client shall not see."""
