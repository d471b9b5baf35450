"""Whether a port is free, and who holds it when it is not."""

from __future__ import annotations

import errno
import socket
import time
from contextlib import closing

import psutil

from local.stack.errors import StackError

_POLL_SECONDS = 0.05
# `localhost` may mean either of them to a client.
_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def is_free(port: int) -> bool:
    """True when nothing listens on the port of either loopback address."""
    return all(_can_bind(family, host, port) for family, host in _LOOPBACKS)


def free_port() -> int:
    """A port that was free a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int, variable: str, purpose: str, patience: float = 0.0) -> None:
    """Raises StackError naming the holder of a taken port and the way out, when the port does not
    come free within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (free := is_free(port)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    if free:
        return
    raise StackError(
        f"port {port}, meant for {purpose}, is held by {holder(port)}",
        f"stop that process (another Nightstream: `make down` where it was started), or choose "
        f"another port: set {variable}={free_port()}",
    )


def holder(port: int) -> str:
    """The process that listens on a port, as far as this user may see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN
        if listens and connection.pid and tuple(connection.laddr)[1:2] == (port,):
            return _describe(connection.pid)
    return "another process"


def _describe(pid: int) -> str:
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        command = ""
    return f"process {pid} ({command[:120]})" if command else f"process {pid}"


def _can_bind(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            # As servers do: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True
