"""Streaming jobs that never get anywhere, for what is asked of a job rather than done by it."""

from __future__ import annotations

from nightstream.streaming.naming import Slot, live_job_labels, live_job_name
from tests.support.local_cloud import PROJECT, LocalCloud


def create_stuck_job(server: LocalCloud, service: str, revision: str, slot: Slot = Slot.A) -> str:
    """The id of a job whose pipeline is never handed out, so that it is PENDING until cancelled.

    The server has to hang at `stuck/o/pipeline.pb`.
    """
    options = {"pipelineUrl": "gs://stuck/pipeline.pb"}
    body = {
        "name": live_job_name(service, slot),
        "type": "JOB_TYPE_STREAMING",
        "labels": live_job_labels(service, slot, revision, "v1"),
        "environment": {"sdkPipelineOptions": {"options": options}},
    }
    path = f"/v1b3/projects/{PROJECT}/locations/us-central1/jobs"
    return str(server.call("POST", path, body)["id"])
