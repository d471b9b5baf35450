"""The supervisor of one job: runs its attempts, writes its states, ends it when asked to.

    python -m local.cloud.dataflow.supervisor FOLDER LOCK

It outlives the server. The job process dies with it (a pipe between them closes), and with the
job process die its workers.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import JobFolder, Status, now
from local.cloud.dataflow.outcome import MAX_ATTEMPTS, Ending, Outcome, Verdict, outcome_of, verdict

POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0
LOG_LINES = 20


def supervise(folder: JobFolder) -> None:
    """Runs the job to its end."""
    attempt = 1
    while True:
        outcome = _run(folder, attempt)
        decision = verdict(outcome, attempt)
        if decision is not Verdict.RETRY:
            break
        folder.add_message(
            "WARNING", f"Attempt {attempt} of {MAX_ATTEMPTS} was lost: {outcome.cause}. Retrying."
        )
        attempt += 1
    _finish(folder, decision, outcome)


def _finish(folder: JobFolder, decision: Verdict, outcome: Outcome) -> None:
    if decision is Verdict.FAILED:
        times = f"attempted {MAX_ATTEMPTS} times, at last " if outcome.ending is Ending.LOST else ""
        folder.add_message("ERROR", f"Workflow failed. Causes: {times}{outcome.cause}")
    _enter(folder, f"JOB_STATE_{decision.name}")


def _enter(folder: JobFolder, state: str) -> None:
    moment = now()
    started = moment if state == states.RUNNING else folder.status().started
    folder.add_message("BASIC", f"Job entered state {state}.")
    folder.write_status(Status(state, moment, started))


def _run(folder: JobFolder, attempt: int) -> Outcome:
    """One attempt, in a process group and a scratch folder of its own."""
    scratch = folder.path / f"attempt-{attempt}"
    scratch.mkdir()
    # Not in the scratch folder: sockets in it would have too long a path.
    with tempfile.TemporaryDirectory(prefix="job-", ignore_cleanup_errors=True) as temporary:
        process = _start(folder, scratch, temporary)
        try:
            cancelled = _watch(folder, process, scratch / "running")
        finally:
            _end(process)
    failure = scratch / "failure.txt"
    cause = failure.read_text() if failure.exists() else _last_lines(folder.log)
    shutil.rmtree(scratch, ignore_errors=True)
    return outcome_of(process.returncode, cause, cancelled)


def _start(folder: JobFolder, scratch: Path, temporary: str) -> subprocess.Popen[bytes]:
    with folder.log.open("ab") as log:
        return subprocess.Popen(
            [folder.plan().python, "-m", "local.cloud.dataflow.worker.job", folder.path, scratch],
            cwd=scratch,
            env={**_environment(folder, scratch), "TMPDIR": temporary},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )


def _watch(folder: JobFolder, process: subprocess.Popen[bytes], running: Path) -> bool:
    """Waits for the job process to end; True once a client has asked to cancel the job."""
    while process.poll() is None:
        if folder.requested():
            return True
        if folder.status().state == states.PENDING and running.exists():
            _enter(folder, states.RUNNING)
        time.sleep(POLL_SECONDS)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the job process and whatever it started."""
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _environment(folder: JobFolder, scratch: Path) -> dict[str, str]:
    """What the job process and its workers see: on PYTHONPATH the staged packages, what the image
    has, and of this repository the package `local` alone."""
    runtime = scratch / "runtime"
    runtime.mkdir()
    (runtime / "local").symlink_to(Path(__file__).resolve().parents[2])
    plan, job = folder.plan(), folder.job() or {}
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(scratch / "site"), *plan.pythonpath, str(runtime)]),
        "PYTHONUNBUFFERED": "1",
        "JOB_ID": job["id"],
        "JOB_NAME": job["name"],
    }
    if plan.workers > 1:
        environment["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // plan.workers))
    return environment


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def main(path: str, lock: str) -> None:
    os.set_inheritable(int(lock), False)
    os.truncate(int(lock), 0)
    os.write(int(lock), str(os.getpid()).encode())
    supervise(JobFolder(Path(path)))


if __name__ == "__main__":
    main(*sys.argv[1:])
