"""The named points: places between two steps of the code, where a fault may strike."""

from __future__ import annotations

AT_SERVER = {
    "storage.commit": "the bytes of an object are on disk, the object does not exist yet",
    "bigquery.job.begin": "a job is accepted and on disk, its work has not begun",
    "bigquery.job.commit": "a job has done its work, nothing of it is committed",
    "bigquery.insert.commit": "rows of an insertAll are checked, none is committed",
    "aiplatform.operation.begin": "an operation is on disk, its work has not begun",
    "aiplatform.operation.commit": "an operation has done its work, nothing of it is committed",
    "dataflow.job.launch": "a job is on disk, no process of it runs yet",
}
"""Points in the server, and what has and has not happened there."""

AT_JOBS = {
    "job.started": "the job process runs, nothing is fetched yet",
    "job.set_up": "streaming: its DoFns are set up; it waits for its turn to read",
    "job.ready": "everything staged is installed, the pipeline has not begun",
    "job.bundle.processed": "a bundle (its first stage, in streaming) is processed, not committed",
    "job.bundle.committed": "it is committed, and in streaming not acknowledged yet",
    "job.acknowledge": "streaming: messages are about to be acknowledged to Pub/Sub",
    "job.metrics": "metrics are about to be written",
    "job.finished": "the pipeline is at its end, its success is not reported",
    "job.end": "the supervisor is about to write the job's last state",
}
"""Points in the processes of a Dataflow job."""
