"""The launcher of a Flex Template: runs its module, which leaves the description of a job in
storage, as on the service, turns the queued job into that one and becomes its supervisor.

    python -m local.cloud.dataflow.flex.launcher FOLDER LOCK
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.cloud.dataflow import states, supervisor
from local.cloud.dataflow.flex.launch import Launch
from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.request import job_of
from local.cloud.http import ApiError
from local.cloud.supervised import end_with_parent, take_lock

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
LOG_LINES = 20


class LaunchFailed(Exception):
    """With the cause, for the job's messages."""


def prepare(folder: JobFolder, launch: Launch) -> bool:
    """Makes a queued job ready to run, under the same id.

    False where it has ended instead: it was cancelled, or the launch failed.
    """
    try:
        if not _run(folder, launch):
            folder.enter(states.CANCELLED)
            return False
        _become(folder, launch, _described(launch.description(folder.path.name)))
    except LaunchFailed as failure:
        folder.add_message("ERROR", f"Template launch failed. {failure}")
        folder.enter(states.FAILED)
        return False
    folder.enter(states.PENDING)
    return True


def _run(folder: JobFolder, launch: Launch) -> bool:
    """Runs the module to its end; False where a client cancelled the job. Raises LaunchFailed."""
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            launch.command(folder.plan().python, folder.path.name),
            cwd=folder.path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folder.plan().pythonpath)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=end_with_parent,
        )
    try:
        while process.poll() is None and not folder.requested():
            _check_replaced(folder)
            time.sleep(POLL_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if folder.requested():
        process.wait()
        return False
    if process.returncode:
        raise LaunchFailed(_last_words(process.returncode, folder))
    return True


def _check_replaced(folder: JobFolder) -> None:
    """Beam looks for the job to be updated for ever. Raises LaunchFailed once that has ended."""
    replaced = folder.replaces()
    if replaced and (replaced.status().state in states.TERMINAL or not replaced.held()):
        raise LaunchFailed(f"The job to be updated, {replaced.path.name}, has ended.")


def _last_words(code: int, folder: JobFolder) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    lines = folder.log.read_text(errors="replace").splitlines()
    return "\n".join([f"The launcher {how}. The end of its output:", *lines[-LOG_LINES:]])


def _described(uri: str) -> dict[str, Any]:
    """The job that the module described. Raises LaunchFailed."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    host = os.environ["STORAGE_EMULATOR_HOST"]
    url = f"{host}/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
                job: dict[str, Any] = json.load(answer)
                return job
        except urllib.error.HTTPError as error:
            raise LaunchFailed(
                f"The launcher described no job at {uri} (HTTP {error.code}): its module has to "
                "run one pipeline by the DataflowRunner, with the options it is given."
            ) from error
        except OSError as error:
            # The server may be starting again.
            if time.monotonic() > deadline:
                raise LaunchFailed(f"Storage cannot be reached: {error}") from error
            time.sleep(POLL_SECONDS)


def _become(folder: JobFolder, launch: Launch, described: dict[str, Any]) -> None:
    """Writes the job and how to run it; what the service chose at the launch stays. Raises
    LaunchFailed."""
    queued = folder.job() or {}
    kept = ("id", "projectId", "location", "createTime", "startTime", "name", "replaceJobId")
    try:
        job = {**job_of(described), **{key: queued[key] for key in kept if key in queued}}
        plan = launch.machines.plan(job)
    except ApiError as error:
        raise LaunchFailed(f"Its job was refused: {error.message}") from error
    folder.write_job(job, plan)


def main(path: str, lock: str) -> None:
    take_lock(int(lock))
    folder = JobFolder(Path(path))
    if prepare(folder, Launch.from_json(folder.launch() or {})):
        os.set_inheritable(int(lock), True)
        os.execv(sys.executable, [sys.executable, "-m", supervisor.__name__, path, lock])


if __name__ == "__main__":
    main(*sys.argv[1:])
