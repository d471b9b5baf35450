"""The command that launches a streaming job, and the options that its plan pins."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from beam_jobs.spec import EnvironmentSpec
from beam_jobs.spec.streaming import StreamingSpec
from nightstream.jobs.options import lasting_options, launch_options
from nightstream.lifecycle.revisions import Revision
from nightstream.streaming.naming import Slot, live_job_labels, live_job_name


@dataclass(frozen=True)
class Submission:
    """One job to be: a revision, and what is not part of it."""

    service: str
    slot: Slot
    revision: Revision
    plan_uri: str
    subscription: str
    """Full name of what the job reads."""
    wheel: Path
    """The revision's code."""
    renamed: Mapping[str, str] | None = None
    """Of a job that takes over from the one of its name: old names of steps, and their new ones."""


def pinned_options(streaming: StreamingSpec, environment: EnvironmentSpec) -> list[str]:
    """The pipeline options that are part of a revision."""
    return ["--enable_streaming_engine", *lasting_options(environment, streaming.machine_type)]


def launch_command(job: Submission, environment: EnvironmentSpec) -> list[str]:
    """The command that submits it to Dataflow; to be run with the wheel's code before any other."""
    name, revision = live_job_name(job.service, job.slot), job.revision
    labels = live_job_labels(job.service, job.slot, revision.id, revision.model_version)
    region, workers = revision.place.region, revision.workers
    return [
        # Safe path: no package in the working directory comes before the wheel's.
        *(sys.executable, "-P", "-m", "beam_jobs.streaming"),
        f"--plan={job.plan_uri}",
        f"--subscription={job.subscription}",
        *launch_options(environment, region, name, labels, workers.least, workers.most),
        f"--extra_package={job.wheel}",
        *_takes_over(job.renamed),
    ]


def _takes_over(renamed: Mapping[str, str] | None) -> list[str]:
    if renamed is None:
        return []
    return ["--update", *([f"--transform_name_mapping={json.dumps(renamed)}"] if renamed else [])]
