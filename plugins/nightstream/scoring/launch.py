"""Launches a run's job: `python -m beam_jobs.batch` in a process of its own.

A process, since Beam is heavy, keeps global state and cannot be stopped from within.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import beam_jobs
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.runs import ResolvedRun
from nightstream.scoring.jobs import job_labels, job_name

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


def launch_command(
    run: ResolvedRun, attempt: int, spec: ServiceSpec, environment: EnvironmentSpec
) -> list[str]:
    """The command that submits one attempt of a run to Dataflow."""
    return [
        sys.executable,
        "-m",
        "beam_jobs.batch",
        f"--plan={run.plan_uri}",
        f"--attempt={attempt}",
        "--runner=DataflowRunner",
        f"--job_name={job_name(run.service, run.run_key)}",
        *_place(environment),
        *_workers(spec, environment),
        *(
            f"--labels={key}={value}"
            for key, value in job_labels(run, attempt, environment.dataflow.labels).items()
        ),
        *_more(environment),
    ]


def run_launcher(
    command: Sequence[str], timeout_seconds: float, emit: Callable[[str], None]
) -> Launched:
    """Runs the command, each line of its output to `emit` as it comes.

    At the timeout its whole process group is killed. When the caller is killed, the launcher is
    not: it finishes, and whoever looks next finds the job.
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    process = subprocess.Popen(
        command,
        env=_environment(),
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


def _environment() -> dict[str, str]:
    """This process's own, with the very code that runs here within reach."""
    here = str(Path(beam_jobs.__file__).parents[1])
    path = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}


def _place(environment: EnvironmentSpec) -> list[str]:
    dataflow = environment.dataflow
    work = f"gs://{environment.buckets.work}/dataflow"
    endpoint = dataflow.endpoint
    return [
        f"--project={environment.project}",
        f"--region={dataflow.region}",
        f"--temp_location={work}/temp",
        f"--staging_location={work}/staging",
        *([f"--dataflow_endpoint={endpoint}", "--no_auth"] if endpoint else []),
    ]


def _workers(spec: ServiceSpec, environment: EnvironmentSpec) -> list[str]:
    dataflow = environment.dataflow
    chosen = {
        "num_workers": spec.job.workers,
        "max_num_workers": max(spec.job.workers, spec.job.max_workers),
        "machine_type": spec.job.machine_type,
        "sdk_container_image": dataflow.worker_image,
        "service_account_email": dataflow.service_account,
        "subnetwork": dataflow.subnetwork,
    }
    options = [f"--{name}={value}" for name, value in chosen.items() if value is not None]
    return options if dataflow.public_ips else [*options, "--no_use_public_ips"]


def _more(environment: EnvironmentSpec) -> list[str]:
    """The environment's further options: true is a flag, false is left out."""
    options = environment.dataflow.submit_options.items()
    flags = [f"--{name}" for name, value in options if value is True]
    return flags + [f"--{name}={v}" for name, v in options if not isinstance(v, bool)]
