"""Dataflow by its REST API."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
from googleapiclient.discovery import build

from beam_jobs.spec import EnvironmentSpec
from nightstream.jobs.job import Job, Phase

_PREFIX = "JOB_STATE_"


class DataflowHook(GoogleBaseHook):
    """The few things the operators ask of Dataflow, in one environment.

    The provider's own hook has no setting for the endpoint, and stops jobs by the prefix of a name.
    """

    def __init__(self, environment: EnvironmentSpec) -> None:
        super().__init__(gcp_conn_id=environment.airflow.gcp_conn_id)
        self._endpoint = environment.dataflow.endpoint
        self._place = {
            "projectId": environment.project,
            "location": environment.dataflow.region,
        }

    def get(self, job_id: str) -> Job:
        """Raises HttpError, 404 where there is no such job."""
        return _job(self._call(self._jobs.get(jobId=job_id, **self._place)))

    def named(self, name: str) -> tuple[Job, ...]:
        """All jobs of exactly that name that the service remembers, active ones first."""
        return tuple(self.get(job["id"]) for job in self._list(name=name, filter="ALL"))

    def ids_named(self, name: str) -> set[str]:
        """The ids of all jobs of exactly that name that the service remembers."""
        return {job["id"] for job in self._list(name=name, filter="ALL")}

    def active_named(self, name: str) -> tuple[Job, ...]:
        """All jobs of exactly that name that have not ended."""
        return self._not_ended(self._list(name=name, filter="ACTIVE"))

    def active(self, prefix: str) -> tuple[Job, ...]:
        """All jobs that have not ended and whose name begins so."""
        found = self._list(filter="ACTIVE")
        return self._not_ended([job for job in found if job["name"].startswith(prefix)])

    def cancel(self, job_id: str) -> None:
        """Asks for the job to be cancelled; it takes a while."""
        self._request_state(job_id, "CANCELLED")

    def drain(self, job_id: str) -> None:
        """Asks a running job to stop reading and to finish what it has read."""
        self._request_state(job_id, "DRAINED")

    def errors(self, job_id: str) -> list[str]:
        """The texts of the job's error messages, oldest first."""
        messages = self._jobs.messages()
        request = messages.list(jobId=job_id, minimumImportance="JOB_MESSAGE_ERROR", **self._place)
        pages = self._pages(request, messages.list_next)
        return [m["messageText"] for page in pages for m in page.get("jobMessages", [])]

    @cached_property
    def _jobs(self) -> Any:
        options = {"api_endpoint": self._endpoint} if self._endpoint else None
        service = build(
            "dataflow",
            "v1b3",
            http=self._authorize(),
            client_options=options,
            cache_discovery=False,
        )
        return service.projects().locations().jobs()

    def _request_state(self, job_id: str, state: str) -> None:
        body = {"requestedState": _PREFIX + state}
        self._call(self._jobs.update(jobId=job_id, body=body, **self._place))

    def _not_ended(self, listed: list[dict[str, Any]]) -> tuple[Job, ...]:
        """The listed jobs with their labels, which lists lack, and as they are by now."""
        jobs = (self.get(job["id"]) for job in listed)
        return tuple(job for job in jobs if job.phase is not Phase.ENDED)

    def _list(self, **how: str) -> list[dict[str, Any]]:
        pages = self._pages(self._jobs.list(**self._place, **how), self._jobs.list_next)
        return [job for page in pages for job in page.get("jobs", [])]

    def _pages(self, request: Any, following: Any) -> Iterator[dict[str, Any]]:
        while request is not None:
            page = self._call(request)
            yield page
            request = following(request, page)

    def _call(self, request: Any) -> Any:
        return request.execute(num_retries=self.num_retries)


def _job(resource: dict[str, Any]) -> Job:
    return Job(
        id=resource["id"],
        name=resource["name"],
        state=resource.get("currentState", "JOB_STATE_UNKNOWN").removeprefix(_PREFIX),
        labels=resource.get("labels", {}),
    )
