"""The part of a job's process in an update: whether it may take the place of another job."""

from __future__ import annotations

from apache_beam.portability.api import beam_runner_api_pb2

from local.cloud.dataflow.folder import JobFolder
from local.cloud.dataflow.worker import staging
from local.cloud.dataflow.worker.failure import Failure
from local.cloud.dataflow.worker.streaming import compatibility

KEPT = "pipeline.pb"
"""The submitted pipeline in the job's folder, for the job that may replace this one."""


def check_update(folder: JobFolder, pipeline: beam_runner_api_pb2.Pipeline) -> None:
    """Raises Failure where the pipeline does not fit the one that it is to replace."""
    staging.keep(pipeline.SerializeToString(), folder.path / KEPT)
    replaced = folder.replaces()
    if replaced is None or replaced.successor():
        return
    old = beam_runner_api_pb2.Pipeline.FromString((replaced.path / KEPT).read_bytes())
    job = folder.job() or {}
    problems = compatibility.check(old, pipeline, job.get("transformNameMapping", {}))
    if problems:
        raise Failure(compatibility.explain(job["replaceJobId"], problems))
