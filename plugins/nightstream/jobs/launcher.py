"""Runs a launcher, `python -m beam_jobs.…`, which submits one job, in a process of its own.

A process, since Beam is heavy, keeps global state and cannot be stopped from within.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import beam_jobs

_HERE = Path(beam_jobs.__file__).parents[1]
_TAIL_LINES = 20
_REFUSED = 2
"""The launcher's exit code where plan, model or arguments do not allow a job."""


@dataclass(frozen=True)
class Launched:
    """How the launcher ended. Whether there is a job now is for the service to say."""

    returncode: int
    timed_out: bool
    tail: str
    """Its last lines."""

    @property
    def refused(self) -> bool:
        """Whether the same command would be refused again, however often it is tried."""
        return self.returncode == _REFUSED


def run_launcher(
    command: Sequence[str],
    timeout_seconds: float,
    emit: Callable[[str], None],
    code: Path | None = None,
) -> Launched:
    """Runs the command, each line of its output to `emit` as it comes.

    code: the folder where its package lies; None: the very code that runs here.

    At the timeout its whole process group is killed. When the caller is killed, the launcher is
    not: it finishes, and whoever looks next finds the job.
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    process = subprocess.Popen(
        command,
        env=_environment(code or _HERE),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    overdue = threading.Event()
    timer = threading.Timer(timeout_seconds, _kill_group, (process.pid, overdue))
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            emit(line.rstrip())
            tail.append(line.rstrip())
        returncode = process.wait()
    finally:
        timer.cancel()
    return Launched(returncode, overdue.is_set(), "\n".join(tail))


def _kill_group(group: int, overdue: threading.Event) -> None:
    overdue.set()
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _environment(code: Path) -> dict[str, str]:
    """This process's own, with that code before any other."""
    path = [str(code), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
