"""Faults in the processes of Dataflow jobs, which live apart from the server.

The server announces in a file at which points faults are armed, and decides, counts and logs there;
a job's process at such a point asks it. Where nothing is armed there is no file and nobody asks.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

REACHED_PATH = "/_local/faults/reached"
VARIABLE = "LOCAL_CLOUD_JOB_FAULTS"
"""Where a job's processes find the announcement."""

_PATIENCE_S = 10.0


class Announcement:
    """The file that tells jobs where faults are armed, and which server to ask."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url

    def __call__(self, points: list[str]) -> None:
        if not points:
            self._path.unlink(missing_ok=True)
            return
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"url": self._url, "points": points}))
        temporary.replace(self._path)


def announcement_path(data: Path) -> Path:
    return data / "job_faults.json"


def reach_in_job(point: str, job: str | None = None) -> None:
    """Mark a named point in a process of a job: waits or ends the process if a fault is armed.

    `job` is its name, where the environment does not say it.
    """
    asked = _announced(point)
    if asked is None:
        return
    fault = _ask(asked, {"point": point, "job": job or os.environ.get("JOB_NAME", "")})
    if fault.get("kind") == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(fault.get("seconds", 0.0))


def _announced(point: str) -> str | None:
    """The server to ask about this point, if anything is armed there."""
    try:
        announced = json.loads(Path(os.environ[VARIABLE]).read_bytes())
    except (KeyError, FileNotFoundError):
        return None
    return announced["url"] if point in announced["points"] else None


def _ask(url: str, reached: dict[str, str]) -> dict[str, Any]:
    """The fault that strikes here. A server that is gone has none: it forgets them as it ends."""
    data = json.dumps(reached).encode()
    request = urllib.request.Request(url + REACHED_PATH, data, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
            fault: dict[str, Any] = json.loads(answer.read())
    except OSError:
        return {}
    return fault
