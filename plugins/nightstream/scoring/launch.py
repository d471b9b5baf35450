"""The command that launches a run's job."""

from __future__ import annotations

import sys

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.jobs.options import dataflow_options
from nightstream.runs import ResolvedRun
from nightstream.scoring.jobs import job_labels, job_name


def launch_command(
    run: ResolvedRun, attempt: int, spec: ServiceSpec, environment: EnvironmentSpec
) -> list[str]:
    """The command that submits one attempt of a run to Dataflow."""
    name, labels = job_name(run.service, run.run_key), job_labels(run, attempt)
    return [
        sys.executable,
        "-m",
        "beam_jobs.batch",
        f"--plan={run.plan_uri}",
        f"--attempt={attempt}",
        *dataflow_options(environment, name, labels, spec.job),
    ]
