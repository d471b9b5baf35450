"""The HTTP connection, with its transport within reach of whoever must break it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TRANSPORT = "local.cloud.transport"


class Connection(HttpToolsProtocol):
    """uvicorn's connection; each request's `state` holds the transport it came by."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


def reset(scope: Any) -> None:
    """Break the request's connection so that its client sees a reset, not an orderly end."""
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    sock = transport.get_extra_info("socket")
    # Lingering for no time at all makes the kernel send RST.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
