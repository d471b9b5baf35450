"""Whether there is a job that an update could take over from."""

from __future__ import annotations

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.dataflow.internal.apiclient import DataflowApplicationClient
from google.cloud.dataflow_v1beta3 import JobState, ListJobsRequest

_ACTIVE = ListJobsRequest.Filter.ACTIVE


class NothingToUpdateError(Exception):
    """No running job bears the name."""


def require_running(options: PipelineOptions) -> None:
    """Raises NothingToUpdateError where no job of the options' name is running.

    To be asked before an update is submitted: Beam itself looks for the job without end.
    """
    cloud = options.view_as(GoogleCloudOptions)
    if not _Jobs(options).is_running(cloud.job_name):
        raise NothingToUpdateError(
            f"no job {cloud.job_name} is running in {cloud.region}, so there is nothing to update. "
            "Remedy: launch it without --update, once a job of that name that still drains has "
            "ended"
        )


class _Jobs(DataflowApplicationClient):
    """Beam's own client, with its endpoint and credentials."""

    def is_running(self, name: str) -> bool:
        cloud = self.google_cloud_options
        request = ListJobsRequest(
            project_id=cloud.project, location=cloud.region, filter=_ACTIVE, name=name
        )
        return any(
            job.name == name and job.current_state == JobState.JOB_STATE_RUNNING
            for job in self._jobs_client.list_jobs(request)
        )
