"""Processes that outlive the server: each is led by a supervisor, which holds the lock of a folder.

Each file of such a folder has a single writer and is replaced atomically, so a reader sees one
whole version of it and kill -9 at any moment loses nothing that was acknowledged.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1


def now(ago: float = 0.0) -> str:
    """This moment, or that of `ago` seconds before, as Google's APIs write it: RFC 3339, UTC,
    microseconds. Such times sort as text."""
    return (datetime.now(UTC) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def write_atomically(path: Path, value: Any) -> None:
    """Replaces a JSON file in one step."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """What a file holds; None where there is none."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class SupervisedFolder:
    """A folder whose `lock` is held by a supervisor as long as it lives, with its process id."""

    path: Path

    def hold(self) -> int:
        """Takes the lock and returns its descriptor, to be inherited by the supervisor.

        The kernel frees it with the last process that has it open, however that one ends.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor

    def held(self) -> bool:
        """Whether a supervisor lives."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def kill(self) -> None:
        """Ends a supervisor that does not answer; what it leads ends with it."""
        if not self.held():
            return
        holder = (self.path / "lock").read_text()
        if holder:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(holder), signal.SIGKILL)


def spawn(module: str, folder: SupervisedFolder, log: Path, environment: Mapping[str, str]) -> None:
    """Runs `python -m MODULE FOLDER LOCK` in a session of its own; it holds the folder's lock."""
    lock = folder.hold()
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, folder.path, str(lock)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
            )
    finally:
        os.close(lock)
    threading.Thread(target=process.wait, daemon=True).start()


def take_lock(lock: int) -> None:
    """In the supervisor: makes the inherited lock this process's own, not its children's, and
    writes its id there."""
    os.set_inheritable(lock, False)
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def end_with_parent() -> None:
    """Between fork and exec of a program that is no code of ours, and watches nobody."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def last_lines(log: Path, most: int) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-most:])


def environment_of(cloud_url: str, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process of this cloud: those that are `given`, and the endpoints of the
    local cloud where these name no others."""
    host = cloud_url.removeprefix("http://")
    endpoints = {
        "STORAGE_EMULATOR_HOST": cloud_url,
        "BIGQUERY_EMULATOR_HOST": cloud_url,
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
    }
    return {**endpoints, **given}
