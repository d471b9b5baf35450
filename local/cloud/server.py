"""One process, one port: the APIs of the local cloud in one application."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.cloud.aiplatform.api import AiplatformApi
from local.cloud.bigquery.api import BigQueryApi
from local.cloud.config import CloudConfig
from local.cloud.connection import Connection
from local.cloud.dataflow.api import DataflowApi
from local.cloud.faults.api import FaultsApi
from local.cloud.faults.armed import ARMED
from local.cloud.faults.fault import Fault
from local.cloud.faults.in_jobs import Announcement, announcement_path
from local.cloud.faults.injection import FaultInjection
from local.cloud.folder import FolderLock
from local.cloud.http import Api, ApiError, unsupported
from local.cloud.metadata.api import MetadataApi
from local.cloud.monitoring.api import MonitoringApi
from local.cloud.storage.api import StorageApi
from local.cloud.storage.store import ObjectStore

_THREADS = 128
_KEEP_ALIVE_S = 300
_SHUTDOWN_S = 3

ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]

log = logging.getLogger(__name__)


def serve(config: CloudConfig, listener: socket.socket, faults: Iterable[Fault] = ()) -> None:
    """Serve until SIGTERM or SIGINT, with these faults armed from the beginning.

    Raises FolderTaken when another server owns the folder.
    """
    lock = FolderLock(config.data)
    _arm(config, faults)
    print(f"local cloud, pid {os.getpid()}: {config.url}", flush=True)
    objects = ObjectStore(config.data / "storage")
    try:
        server = uvicorn.Server(
            uvicorn.Config(
                application(assemble(config, objects)),
                http=Connection,
                loop="uvloop",
                ws="none",
                log_config=None,
                access_log=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_SHUTDOWN_S,
                backlog=1024,
            )
        )
        server.run(sockets=[listener])
    finally:
        objects.close()
        lock.release()


def _arm(config: CloudConfig, faults: Iterable[Fault]) -> None:
    """Arms these and no others; jobs of an earlier server forget its faults."""
    ARMED.announce = Announcement(announcement_path(config.data), config.url)
    ARMED.disarm()
    for fault in faults:
        ARMED.arm(fault)


def assemble(config: CloudConfig, objects: ObjectStore) -> list[Api]:
    """The Google APIs this server speaks."""
    return [
        StorageApi(objects),
        BigQueryApi(config, objects),
        DataflowApi(config, objects),
        AiplatformApi(config),
        MonitoringApi(config),
        MetadataApi(config),
    ]


def application(apis: Sequence[Api]) -> Starlette:
    """The ASGI application; starts the APIs in order and stops them in reverse."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        for api in apis:
            await to_thread.run_sync(api.start)
        yield
        for api in reversed(apis):
            await to_thread.run_sync(api.stop)

    routes = [route for api in apis for route in api.routes()]
    return Starlette(
        routes=[Route("/healthz", _healthz), *FaultsApi(ARMED).routes(), *routes],
        middleware=[Middleware(FaultInjection, faults=ARMED)],
        exception_handlers={
            ApiError: _api_error,
            HTTPException: _no_route(routes),
            Exception: _unexpected,
        },
        lifespan=lifespan,
    )


def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _unexpected(request: Request, error: Exception) -> Response:
    """A bug of ours, said as the service says its own."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    message = f"the local cloud failed: {type(error).__name__}: {error}"
    return ApiError(500, message, "internalError").response()


def _no_route(routes: Sequence[BaseRoute]) -> ErrorHandler:
    """501 for what a Google API may have and this server has not, 404 for any other path."""
    ours = {_first_segment(route.path) for route in routes if isinstance(route, Route)} - {""}

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        call = f"{request.method} {request.url.path}"
        if _first_segment(request.url.path) in ours and error.status_code in (404, 405):
            return unsupported(call).response()
        return ApiError(error.status_code, f"{call}: {error.detail}", "notFound").response()

    return answer


def _first_segment(path: str) -> str:
    return path.split("/")[1]
