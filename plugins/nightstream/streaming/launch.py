"""The command that launches a streaming job, and the options that its plan pins."""

from __future__ import annotations

import sys

from beam_jobs.spec import EnvironmentSpec
from beam_jobs.spec.streaming import StreamingSpec
from nightstream.jobs.options import lasting_options, launch_options
from nightstream.streaming.naming import Slot, live_job_labels, live_job_name
from nightstream.streaming.records import PreparedJob


def pinned_options(streaming: StreamingSpec, environment: EnvironmentSpec) -> list[str]:
    """The pipeline options that are part of a revision."""
    return ["--enable_streaming_engine", *lasting_options(environment, streaming.machine_type)]


def launch_command(
    job: PreparedJob, slot: Slot, streaming: StreamingSpec, environment: EnvironmentSpec
) -> list[str]:
    """The command that submits a revision to Dataflow."""
    name = live_job_name(job.service, slot)
    labels = live_job_labels(job.service, slot, job.revision, job.model_version)
    return [
        sys.executable,
        "-m",
        "beam_jobs.streaming",
        f"--plan={job.plan_uri}",
        f"--subscription={job.subscription}",
        *launch_options(environment, name, labels, streaming),
    ]
