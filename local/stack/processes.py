"""Processes of a stack: started in sessions of their own, remembered, and stopped for certain.

Two things make a process ours. A record names its pid together with its start time, so that a
recycled pid is never mistaken for it. And every process inherits STACK_MARKER in its environment:
whatever a component or a job left behind, even in a session of its own, is found by it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

STACK_MARKER = "NIGHTSTREAM_STACK"
"""Its value is the home of the stack that a process belongs to."""

_SAME_START_SECONDS = 2.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class ProcessRecord:
    """One started process; `started` is its start in seconds since the epoch."""

    pid: int
    started: float

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> ProcessRecord | None:
        """The record in a file; none when there is none, or half of one after a crash."""
        try:
            content = json.loads(path.read_text())
            return cls(pid=int(content["pid"]), started=float(content["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def process(self) -> psutil.Process | None:
        """The process while it lives: same pid and same start, and not a zombie."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
        except psutil.NoSuchProcess:
            return None
        return process if same and lives(process) else None

    @property
    def alive(self) -> bool:
        return self.process() is not None


def start(
    command: Sequence[str], environ: Mapping[str, str], directory: Path, log: Path
) -> ProcessRecord:
    """Start a process in a session of its own, its output going to `log`; the log of the start
    before is kept beside it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # The child outlives this object by design, which Popen's destructor would warn about.
    process.returncode = 0
    return ProcessRecord(process.pid, _start_time(process.pid))


def _start_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()


def all_processes(*attributes: str) -> Iterator[psutil.Process]:
    """Every process there is; `info` of each holds those attributes.

    Left to itself psutil hands out what it met earlier, also where the number is by now that of
    another process, which it then refuses to signal.
    """
    psutil.process_iter.cache_clear()
    found: Iterator[psutil.Process] = psutil.process_iter(list(attributes) or None)
    return found


def marked(home: Path) -> list[psutil.Process]:
    """Every living process of the stack of this home, however it was started."""
    mine = str(home)
    return [
        process
        for process in all_processes()
        if process.pid != os.getpid() and _marker(process) == mine and lives(process)
    ]


def session_of(record: ProcessRecord, home: Path) -> list[psutil.Process]:
    """The process of a record and its session: what it forked, also once it is dead itself.

    Only processes that carry the marker, since the session's number may be a stranger's by now.
    """
    leader = record.process()
    members = [process for process in marked(home) if _session(process) == record.pid]
    return members if leader is None or leader in members else [leader, *members]


def _marker(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(STACK_MARKER)
    except (psutil.Error, OSError):
        return None


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def ask(processes: Iterable[psutil.Process], how: signal.Signals) -> None:
    """Send a signal; to processes that ended meanwhile it means nothing."""
    for process in processes:
        try:
            # psutil compares the start time before it signals: a recycled pid is safe.
            process.send_signal(how)
        except psutil.NoSuchProcess:
            continue


def await_end(processes: Iterable[psutil.Process], patience: float) -> None:
    """Wait for processes to end; kill those that still live after `patience` seconds."""
    stubborn = _living_after(processes, patience)
    ask(stubborn, signal.SIGKILL)
    _living_after(stubborn, patience)


def lives(process: psutil.Process) -> bool:
    """Whether it still runs. A zombie does not: whose parent is slow to collect it (a container's
    first process, for one) would otherwise seem to live for seconds."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _living_after(processes: Iterable[psutil.Process], patience: float) -> list[psutil.Process]:
    deadline = time.monotonic() + patience
    while (living := [process for process in processes if lives(process)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(_POLL_SECONDS)
    return living
