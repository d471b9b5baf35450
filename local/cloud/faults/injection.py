"""Faults at requests, for every API of the server."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.cloud.connection import reset
from local.cloud.faults.api import ADMIN_PATH
from local.cloud.faults.armed import Faults, crash
from local.cloud.faults.fault import Fault


class FaultInjection:
    """ASGI middleware: lets requests pass, unless a fault strikes them."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith(ADMIN_PATH):
            body = b""
            if self._faults.looks_at_body(scope["method"], scope["path"]):
                body = await Request(scope, receive).body()
                receive = _again(body, receive)
            fault = self._faults.at_request(scope["method"], scope["path"], body)
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


def _again(body: bytes, receive: Receive) -> Receive:
    """Hands out a body that has been read, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def handed() -> Message:
        return messages.pop() if messages else await receive()

    return handed


async def _nowhere(_: Message) -> None:
    """Where an answer goes that its client shall not see."""
