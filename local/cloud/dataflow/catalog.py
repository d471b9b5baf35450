"""All jobs of the server: creating, finding, cancelling them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.cloud.dataflow import states, tuning, views
from local.cloud.dataflow.folder import JobFolder, Plan, Status
from local.cloud.dataflow.replacement import check_replacement
from local.cloud.dataflow.request import max_workers_of
from local.cloud.dataflow.topic_subscriptions import delete_unneeded
from local.cloud.faults.armed import reach
from local.cloud.http import ApiError
from local.cloud.supervised import now

Launch = Callable[[JobFolder], None]


class JobRecord:
    """One job: its resource as created and its folder.

    A template that was launched describes its job later: `job` is whole once `status` has been
    looked at.
    """

    def __init__(self, folder: JobFolder, job: dict[str, Any]) -> None:
        self.folder = folder
        self.job = job
        self._described_later = folder.launch() is not None
        self._last: Status | None = None
        self._lock = threading.Lock()

    def status(self) -> Status:
        """The state now; a job whose supervisor was killed is settled first."""
        with self._lock:
            return self._last or self._look()

    def status_ago(self, seconds: float) -> Status | None:
        """The state some seconds ago; None when the job did not exist yet."""
        status = self.status()
        if not seconds:
            return status
        created = self.job["createTime"]
        return states.as_of(now(seconds), status, self.folder.requested(), created)

    def _look(self) -> Status:
        supervised = self.folder.held()
        status, requested = self.folder.status(), self.folder.requested()
        if self._described_later and status.state != states.QUEUED:
            self.job, self._described_later = self.folder.job() or self.job, False
        shown = states.observed(status, requested, supervised) or self._settle(status, requested)
        if shown.state in states.TERMINAL:
            self._last = shown
        return shown

    def _settle(self, status: Status, requested: Status | None) -> Status:
        last = states.settled(status, requested, now())
        if last.state == states.FAILED:
            self.folder.add_message("ERROR", "Workflow failed. Causes: its supervisor was killed.")
        delete_unneeded(self.folder)
        self.folder.write_status(last)
        return last


class Catalog:
    """The jobs under one folder. Safe for many threads."""

    def __init__(self, root: Path, launch: Launch, refuse_active_name: bool = False) -> None:
        self._root = root
        self._launch = launch
        self._refuse_active_name = refuse_active_name
        self._records: dict[str, JobRecord] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Finds the jobs of earlier servers, running ones and ended ones."""
        self._root.mkdir(parents=True, exist_ok=True)
        for record in stored(self._root):
            self._records[record.job["id"]] = record
            record.status()

    def all(self, project: str, location: str | None) -> list[JobRecord]:
        """The project's jobs, newest first; of every location for None."""
        with self._lock:
            records = list(self._records.values())
        chosen = [
            record
            for record in records
            if record.job["projectId"] == project and location in (None, record.job["location"])
        ]
        return sorted(chosen, key=lambda record: views.place(record.job), reverse=True)

    def get(self, project: str, location: str, job_id: str) -> JobRecord:
        """Raises ApiError 404."""
        record = self.find(job_id)
        if record and (record.job["projectId"], record.job["location"]) == (project, location):
            return record
        raise ApiError(
            404,
            f"Information about job {job_id} could not be found in our system. Please double "
            "check the id is correct, and its project and location.",
            "notFound",
        )

    def find(self, job_id: str) -> JobRecord | None:
        """A job of any project and location."""
        return self._records.get(job_id)

    def create(
        self,
        project: str,
        location: str,
        job: dict[str, Any],
        plan: Plan,
        launch: dict[str, Any] | None = None,
    ) -> JobRecord:
        """Creates and starts a job, or finds the one that this request already created.

        With `launch`, the job is queued until a template has described it. Raises ApiError 409 for
        an active name, where the server is told to refuse it, and 400 or 404 for the update of a
        job that cannot be updated.
        """
        with self._lock:
            neighbours = [
                record
                for record in self._records.values()
                if (record.job["projectId"], record.job["location"]) == (project, location)
            ]
            namesakes = [r for r in neighbours if r.job["name"] == job["name"]]
            found = self._same_request(namesakes, job)
            if not found and "replaceJobId" in job:
                self._check_replacement(neighbours, job)
            elif not found:
                found = self._active(namesakes, job)
            return found or self._start(project, location, job, plan, launch)

    def running(self, project: str, location: str, name: str) -> str:
        """The id of the running job of a name, to be updated. Raises ApiError 400."""
        for record in self.all(project, location):
            if record.job["name"] == name and record.status().state == states.RUNNING:
                return str(record.job["id"])
        raise ApiError(
            400,
            f"The workflow could not be created. Causes: there is no running job named {name} to "
            f"update in {location}.",
            "failedPrecondition",
            "FAILED_PRECONDITION",
        )

    def _same_request(self, namesakes: list[JobRecord], job: dict[str, Any]) -> JobRecord | None:
        request_id = job.get("clientRequestId")
        same = (r for r in namesakes if request_id and r.job.get("clientRequestId") == request_id)
        return next(same, None)

    def _check_replacement(self, neighbours: list[JobRecord], job: dict[str, Any]) -> None:
        active = [r.job for r in neighbours if r.status().state not in states.TERMINAL]
        old = next((r for r in neighbours if r.job["id"] == job["replaceJobId"]), None)
        state = old.status().state if old else states.FAILED
        check_replacement(old.job if old else None, state, job, active)

    def _active(self, namesakes: list[JobRecord], job: dict[str, Any]) -> JobRecord | None:
        active = [r for r in namesakes if r.status().state not in states.TERMINAL]
        if active and self._refuse_active_name:
            raise ApiError(
                409,
                f"The workflow could not be created. Causes: There is already an active job named "
                f"{job['name']} with id {active[0].job['id']}.",
                "alreadyExists",
            )
        return active[0] if active else None

    def _start(
        self,
        project: str,
        location: str,
        job: dict[str, Any],
        plan: Plan,
        launch: dict[str, Any] | None,
    ) -> JobRecord:
        created = now()
        chosen_by_service = {
            "id": _new_id(),
            "projectId": project,
            "location": location,
            "createTime": created,
            "startTime": created,
        }
        job = {**job, **chosen_by_service}
        folder = JobFolder.create(
            self._root / job["id"],
            job,
            plan,
            Status(states.QUEUED if launch else states.PENDING, created),
            launch,
        )
        record = JobRecord(folder, job)
        self._records[job["id"]] = record
        reach("dataflow.job.launch")
        self._launch(folder)
        return record

    def request(self, record: JobRecord, state: str) -> None:
        """Asks for another state, as a client may. Raises ApiError 400."""
        with self._lock:
            status = record.status()
            try:
                states.check_request(status.state, state, record.job["type"])
            except states.Refusal as refusal:
                raise _refused(record, refusal) from refusal
            if wanted := states.to_request(status.state, state):
                record.folder.request(wanted)

    def tune(self, record: JobRecord, mask: str, parameters: dict[str, Any]) -> None:
        """Changes the runtimeUpdatableParams that a mask names. Raises ApiError 400."""
        with self._lock:
            state = record.status().state
            try:
                states.check_tuning(state, record.job["type"])
            except states.Refusal as refusal:
                raise _refused(record, refusal) from refusal
            record.folder.tune(
                tuning.tuned(record.folder.tuning(), mask, parameters, max_workers_of(record.job))
            )


def _refused(record: JobRecord, refusal: states.Refusal) -> ApiError:
    return ApiError(
        400,
        f"Workflow modification failed. Causes: {refusal.reason} (job {record.job['id']})",
        "failedPrecondition" if refusal.precondition else "invalid",
        "FAILED_PRECONDITION" if refusal.precondition else "INVALID_ARGUMENT",
    )


def stored(root: Path) -> Iterator[JobRecord]:
    """The jobs on disk; a folder whose creation was cut short was never acknowledged."""
    for path in sorted(_folders(root)):
        folder = JobFolder(path)
        job = folder.job()
        if job:
            yield JobRecord(folder, job)


def _folders(root: Path) -> Iterable[Path]:
    return (path for path in root.iterdir() if path.is_dir()) if root.exists() else ()


def _new_id() -> str:
    moment = datetime.now(UTC).strftime("%Y-%m-%d_%H_%M_%S")
    return f"{moment}-{random.randrange(10**17, 10**19)}"
