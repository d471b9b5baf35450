"""The server as a process: it listens, drains when it is told to end, and leaves in order."""

from __future__ import annotations

import logging
import os
import socket
import sys
from types import FrameType

import uvicorn

from beam_jobs.prediction.server.app import application
from beam_jobs.prediction.server.service import PredictionService
from beam_jobs.prediction.server.settings import Settings, SettingsError

_KEEP_ALIVE_S = 620
"""Longer than Google's load balancers keep a connection that nobody uses (600 s)."""
_SENDING_S = 2
"""How long the last answers may take to be sent."""
_SWITCH_S = 0.0005
"""How long a prediction may keep the event loop from running; Python's own 5 ms would count once
for every piece of a request that arrives meanwhile."""


def serve(settings: Settings, host: str) -> int:
    """Serves until SIGTERM or SIGINT; the exit code.

    0 when every request that was let in has its answer, else 1; 1 also when the model cannot be
    loaded. Raises SettingsError when nobody can listen there.
    """
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.setswitchinterval(_SWITCH_S)
    listener = _listen(host, settings.port)
    service = PredictionService(settings.threads, settings.most_waiting, settings.drain_seconds)
    config = uvicorn.Config(
        application(settings, service),
        http="httptools",
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_SENDING_S,
    )
    address = f"http://{host}:{listener.getsockname()[1]}"
    print(f"prediction server, pid {os.getpid()}: {address}", flush=True)
    server = DrainingServer(config, service)
    server.run(sockets=[listener])
    return _exit_code(service, server.given_up)


class DrainingServer(uvicorn.Server):
    """uvicorn, but it goes on listening while requests are under way, to say that it drains."""

    def __init__(self, config: uvicorn.Config, service: PredictionService) -> None:
        super().__init__(config)
        self._service = service
        self.given_up = 0
        """Requests that were still under way when the time for draining was over."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._service.drain()

    async def on_tick(self, counter: int) -> bool:
        self.given_up = self._service.under_way
        return await super().on_tick(counter) or self._service.over


def _exit_code(service: PredictionService, given_up: int) -> int:
    if service.failure is not None:
        print(service.failure, file=sys.stderr, flush=True)
        return 1
    if given_up:
        print(f"{given_up} requests took too long and were given up", file=sys.stderr, flush=True)
        os._exit(1)  # their threads cannot be ended in any other way
    return 0


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"port {port} on {host} cannot be used ({error.strerror}). "
            "Remedy: set AIP_HTTP_PORT to another, or to 0 for any free one"
        ) from error
    return listener
