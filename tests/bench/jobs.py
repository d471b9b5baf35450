"""Jobs on a local cloud, timed and watched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil

from tests.support.local_cloud import PROJECT, ROOT, LocalCloud

IMAGE = "nightstream-worker:bench"
WORKER_IMAGE = ("--image", f"{IMAGE}={sys.executable}:{ROOT}")
"""For the local cloud: workers run this interpreter, with this repository beside it."""

_REGION = "us-central1"
_SAMPLE_SECONDS = 0.05
_UNFINISHED = {"JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING"}


@dataclass(frozen=True)
class JobRun:
    """One job that was done."""

    seconds: float
    """From the moment it was running to the moment it was done."""
    start_seconds: float
    """From its creation to the moment it was running."""
    peak_bytes: int
    """Largest resident memory of all its processes together."""
    running_since: float
    """In seconds since the epoch."""
    launch: Launch


@dataclass(frozen=True)
class Launch:
    """One submission."""

    job_id: str
    began: float
    """When the launcher was started, seconds since the epoch."""
    said: str
    """All that it wrote."""


def run_job(cloud: LocalCloud, bucket: str, name: str, command: Sequence[str]) -> JobRun:
    """Submits `python -m <command>` with the DataflowRunner and waits until the job is done.

    Raises RuntimeError with what the launcher or the job said when it is not.
    """
    return _watched(cloud, _launched(cloud, bucket, name, command))


def _launched(cloud: LocalCloud, bucket: str, name: str, command: Sequence[str]) -> Launch:
    options = [
        *("--runner=DataflowRunner", f"--dataflow_endpoint={cloud.url}", "--no_auth"),
        *(f"--project={PROJECT}", f"--region={_REGION}", f"--temp_location=gs://{bucket}/temp"),
        *(f"--sdk_container_image={IMAGE}", f"--job_name={name}"),
    ]
    began = time.time()
    launched = subprocess.run(
        [sys.executable, "-m", *command, *options],
        env={**os.environ, **cloud.env},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    said = launched.stdout + launched.stderr
    found = re.search(r"\d{4}-\d\d-\d\d_\d\d_\d\d_\d\d-\d+", said)
    if launched.returncode or not found:
        raise RuntimeError(f"{command[0]} was not submitted:\n{said}")
    return Launch(found[0], began, said)


def _watched(cloud: LocalCloud, launch: Launch) -> JobRun:
    path = f"/v1b3/projects/{PROJECT}/locations/{_REGION}/jobs/{launch.job_id}"
    memory = _MemoryWatch(psutil.Process(cloud.pid))
    memory.start()
    while (job := cloud.call("GET", path))["currentState"] in _UNFINISHED:
        time.sleep(0.2)
    memory.stop()
    messages = cloud.call("GET", f"{path}/messages")["jobMessages"]
    if job["currentState"] != "JOB_STATE_DONE":
        raise RuntimeError("\n".join(message["messageText"] for message in messages))
    entered = _times_of_states(messages)
    created = datetime.fromisoformat(job["createTime"]).timestamp()
    running, done = entered["RUNNING"], entered["DONE"]
    return JobRun(done - running, running - created, memory.peak, running, launch)


def _times_of_states(messages: Sequence[dict[str, Any]]) -> dict[str, float]:
    """When the job entered each state, seconds since the epoch."""
    found = (
        (re.search(r"entered state JOB_STATE_(\w+)", message["messageText"]), message["time"])
        for message in messages
    )
    return {match[1]: datetime.fromisoformat(time).timestamp() for match, time in found if match}


class _MemoryWatch(threading.Thread):
    """Samples the resident memory of all descendants of a process."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._ended = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_resident, self._process.children(recursive=True))))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _resident(process: psutil.Process) -> int:
    try:
        memory: int = process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
    return memory
