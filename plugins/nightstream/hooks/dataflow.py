"""Dataflow by its REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from beam_jobs.spec import EnvironmentSpec
from nightstream.hooks.dataflow_answers import counters_of, described_of, job_of, listed_of
from nightstream.jobs.job import DescribedJob, Job, ListedJob, Phase

_NOT_FOUND = 404
_MOST_MESSAGES = 1_000
_RETRIES_OF_READINGS = 1
"""A round does not wait long for what the next one reads again."""


class DataflowHook(GoogleBaseHook):
    """The few things the operators ask of Dataflow, in one region of one environment.

    The provider's own hook has no setting for the endpoint, and stops jobs by the prefix of a name.
    """

    def __init__(self, environment: EnvironmentSpec, region: str | None = None) -> None:
        """region: the environment's, unless another one is named."""
        super().__init__(gcp_conn_id=environment.airflow.gcp_conn_id)
        self._endpoint = environment.dataflow.endpoint
        self._place = {
            "projectId": environment.project,
            "location": region or environment.dataflow.region,
        }

    def get(self, job_id: str) -> Job:
        """Raises HttpError, 404 where there is no such job."""
        return job_of(self._call(self._jobs.get(jobId=job_id, **self._place)))

    def describe(self, job_id: str) -> DescribedJob | None:
        """All that the lifecycle has to know of a job; None where there is no such job."""
        request = self._jobs.get(jobId=job_id, view="JOB_VIEW_ALL", **self._place)
        try:
            return described_of(self._call(request))
        except HttpError as error:
            if error.status_code == _NOT_FOUND:
                return None
            raise

    def listed(self, name: str) -> tuple[ListedJob, ...]:
        """All jobs of exactly that name that the service remembers, without asking for each; oldest
        first. A job that was created a moment ago may be missing."""
        found = (listed_of(job) for job in self._list(name=name, filter="ALL"))
        return tuple(sorted(found, key=lambda job: (job.created_at, job.id)))

    def named(self, name: str) -> tuple[Job, ...]:
        """All jobs of exactly that name that the service remembers, active ones first."""
        return tuple(self.get(job["id"]) for job in self._list(name=name, filter="ALL"))

    def active_named(self, name: str) -> tuple[Job, ...]:
        """All jobs of exactly that name that have not ended."""
        return self._not_ended(self._list(name=name, filter="ACTIVE"))

    def active(self, prefix: str) -> tuple[Job, ...]:
        """All jobs that have not ended and whose name begins so."""
        found = self._list(filter="ACTIVE")
        return self._not_ended([job for job in found if job["name"].startswith(prefix)])

    def active_names(self) -> frozenset[str]:
        """Names of all jobs of the project that have not ended, in whatever region."""
        return frozenset(str(job["name"]) for job in self._active_anywhere())

    def cancel(self, job_id: str) -> None:
        """Asks for the job to be cancelled; it takes a while."""
        self._update(job_id, body={"requestedState": "JOB_STATE_CANCELLED"})

    def drain(self, job_id: str) -> None:
        """Asks a running job to stop reading and to finish what it has read."""
        self._update(job_id, body={"requestedState": "JOB_STATE_DRAINED"})

    def tune(self, job_id: str, least: int, most: int) -> None:
        """Changes between how many workers a running streaming job is scaled, without a new job."""
        bounds = {"minNumWorkers": least, "maxNumWorkers": most}
        mask = ",".join(f"runtimeUpdatableParams.{name}" for name in bounds)
        self._update(job_id, updateMask=mask, body={"runtimeUpdatableParams": bounds})

    def counters(self, job_id: str) -> Mapping[str, int]:
        """Nightstream's own counters and gauges of the job by name, of all its steps together.

        They are the committed values. What has not counted yet is not among them.
        """
        request = self._jobs.getMetrics(jobId=job_id, **self._place)
        return counters_of(self._call(request, _RETRIES_OF_READINGS))

    def errors(self, job_id: str) -> list[str]:
        """The texts of the job's error messages, oldest first."""
        return [message["messageText"] for message in self._errors(job_id)]

    def count_errors(self, job_id: str, since: datetime, until: datetime) -> int:
        """How many error messages the job wrote from `since` on and before `until`."""
        interval = {"startTime": since.isoformat(), "endTime": until.isoformat()}
        retries, size = _RETRIES_OF_READINGS, _MOST_MESSAGES
        return sum(1 for _ in self._errors(job_id, retries, pageSize=size, **interval))

    def _errors(
        self, job_id: str, retries: int | None = None, **which: Any
    ) -> Iterator[dict[str, Any]]:
        messages = self._jobs.messages()
        request = messages.list(
            jobId=job_id, minimumImportance="JOB_MESSAGE_ERROR", **which, **self._place
        )
        for page in self._pages(request, messages.list_next, retries):
            yield from page.get("jobMessages", [])

    @cached_property
    def _projects(self) -> Any:
        options = {"api_endpoint": self._endpoint} if self._endpoint else None
        service = build(
            "dataflow",
            "v1b3",
            http=self._authorize(),
            client_options=options,
            cache_discovery=False,
        )
        return service.projects()

    @cached_property
    def _jobs(self) -> Any:
        return self._projects.locations().jobs()

    def _update(self, job_id: str, **how: Any) -> None:
        """Of a job wherever it runs: the environment's region may have changed since its launch."""
        try:
            self._call(self._jobs.update(jobId=job_id, **self._place, **how))
        except HttpError as error:
            elsewhere = self._region_of(job_id) if error.status_code == _NOT_FOUND else None
            if elsewhere is None:
                raise
            place = {**self._place, "location": elsewhere}
            self._call(self._jobs.update(jobId=job_id, **place, **how))

    def _region_of(self, job_id: str) -> str | None:
        """Where an active job runs; None where there is none of that id in any region."""
        job = next((job for job in self._active_anywhere() if job["id"] == job_id), None)
        return None if job is None else str(job["location"])

    def _active_anywhere(self) -> Iterator[dict[str, Any]]:
        jobs = self._projects.jobs()
        request = jobs.aggregated(projectId=self._place["projectId"], filter="ACTIVE")
        for page in self._pages(request, jobs.aggregated_next):
            yield from page.get("jobs", [])

    def _not_ended(self, listed: list[dict[str, Any]]) -> tuple[Job, ...]:
        """The listed jobs with their labels, which lists lack, and as they are by now."""
        jobs = (self.get(job["id"]) for job in listed)
        return tuple(job for job in jobs if job.phase is not Phase.ENDED)

    def _list(self, **how: str) -> list[dict[str, Any]]:
        pages = self._pages(self._jobs.list(**self._place, **how), self._jobs.list_next)
        return [job for page in pages for job in page.get("jobs", [])]

    def _pages(
        self, request: Any, following: Any, retries: int | None = None
    ) -> Iterator[dict[str, Any]]:
        while request is not None:
            page = self._call(request, retries)
            yield page
            request = following(request, page)

    def _call(self, request: Any, retries: int | None = None) -> Any:
        """retries: the connection's, unless a number is given."""
        return request.execute(num_retries=self.num_retries if retries is None else retries)
