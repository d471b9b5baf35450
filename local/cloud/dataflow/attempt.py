"""One process that runs a job, in a process group and with a scratch folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from local.cloud.dataflow.folder import JobFolder

GRACE_SECONDS = 2.0
LOG_LINES = 20


class Attempt:
    """A running job process. Used as a context, which ends it and whatever it started."""

    def __init__(self, folder: JobFolder, scratch: Path) -> None:
        self._folder = folder
        self._scratch = scratch
        scratch.mkdir(exist_ok=True)
        for trace in (scratch / "ready", scratch / "failure.txt"):
            trace.unlink(missing_ok=True)
        # Not in the scratch folder: sockets in it would have too long a path.
        self._temporary = tempfile.TemporaryDirectory(prefix="job-", ignore_cleanup_errors=True)
        self._process = self._start()

    def __enter__(self) -> Attempt:
        return self

    def __exit__(self, *_: object) -> None:
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._temporary.cleanup()

    @property
    def ready(self) -> bool:
        """Whether the process has staged everything and can begin."""
        return (self._scratch / "ready").exists()

    def poll(self) -> int | None:
        """The exit code, once the process has ended."""
        return self._process.poll()

    def tell(self, command: str) -> None:
        """Sends the process a line; one that is gone does not hear it."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(command.encode() + b"\n")
            self._process.stdin.flush()

    def cause(self) -> str:
        """The last words of the process."""
        failure = self._scratch / "failure.txt"
        if failure.exists():
            return failure.read_text()
        lines = self._folder.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def _start(self) -> subprocess.Popen[bytes]:
        command = [self._folder.plan().python, "-m", "local.cloud.dataflow.worker.job"]
        with self._folder.log.open("ab") as log:
            return subprocess.Popen(
                [*command, self._folder.path, self._scratch],
                cwd=self._scratch,
                env={**self._environment(), "TMPDIR": self._temporary.name},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def _environment(self) -> dict[str, str]:
        """What the job process and its workers see: on PYTHONPATH the staged packages, what the
        image has, and of this repository the package `local` alone."""
        runtime = self._scratch / "runtime"
        if not runtime.exists():
            runtime.mkdir()
            (runtime / "local").symlink_to(Path(__file__).resolve().parents[2])
        plan, job = self._folder.plan(), self._folder.job() or {}
        site = str(self._scratch / "site")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([site, *plan.pythonpath, str(runtime)]),
            "PYTHONUNBUFFERED": "1",
            "JOB_ID": job["id"],
            "JOB_NAME": job["name"],
        }
        if plan.streaming:
            # Small batches: waking further threads costs more than they do.
            environment["OMP_NUM_THREADS"] = "1"
        elif plan.workers > 1:
            environment["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // plan.workers))
        return environment

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
