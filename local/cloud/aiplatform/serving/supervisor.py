"""The supervisor of a deployed model: runs its container, watches its health, starts it again.

    python -m local.cloud.aiplatform.serving.supervisor FOLDER LOCK

It outlives the server. The container ends with it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from local.cloud.aiplatform.serving.expansion import environment, expanded
from local.cloud.aiplatform.serving.folder import Container, ServingFolder, Status
from local.cloud.supervised import end_with_parent, take_lock

POLL_SECONDS = 0.05
GRACE_SECONDS = 10.0
HEALTH_TIMEOUT_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 5.0


def supervise(folder: ServingFolder, container: Container) -> None:
    """Runs the container, again whenever its process ends, until asked to stop."""
    status = Status()
    folder.write_status(status)
    in_a_row = 0
    while not folder.stopping():
        healthy = _run(folder, container, status)
        if folder.stopping():
            break
        in_a_row = 1 if healthy else in_a_row + 1
        status = Status(None, status.exits + 1, status.served or healthy)
        folder.write_status(status)
        _pause(folder, min(0.1 * 2**in_a_row, LONGEST_PAUSE_SECONDS))
    folder.write_status(replace(status, port=None))


def _run(folder: ServingFolder, container: Container, status: Status) -> bool:
    """One life of the process; whether it was ever healthy."""
    port = _free_port()
    healthy = False
    try:
        process = _start(folder, container, port)
    except OSError as error:
        folder.note(f"{error.filename}: {error.strerror}")
        return False
    try:
        while process.poll() is None and not folder.stopping():
            if not healthy and _is_healthy(port, container.health_route):
                healthy = True
                folder.write_status(replace(status, port=port, served=True))
            time.sleep(POLL_SECONDS)
    finally:
        _end(process)
    return healthy


def _start(folder: ServingFolder, container: Container, port: int) -> subprocess.Popen[bytes]:
    variables = environment({"AIP_HTTP_PORT": str(port)}, container.variables)
    command = [expanded(word, variables) for word in (*container.command, *container.args)]
    with folder.log.open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=folder.path,
            env={**container.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=end_with_parent,
        )


def _is_healthy(port: int, route: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_TIMEOUT_SECONDS)
    try:
        connection.request("GET", route)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """As the service ends a container: requests under way have time to finish."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _pause(folder: ServingFolder, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not folder.stopping():
        time.sleep(POLL_SECONDS)


def main(path: str, lock: str) -> None:
    take_lock(int(lock))
    folder = ServingFolder(Path(path))
    container = folder.container()
    if container is not None:
        supervise(folder, container)


if __name__ == "__main__":
    main(*sys.argv[1:])
