"""Jobs: ids used once, run by worker threads, durable with what they write.

A job's last state and its rows commit in one transaction (`Execution.complete`). A job that the
server's death interrupted has therefore written nothing: it runs again, once, when the server
starts; the second time it is reported as failed.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import duckdb

from local.cloud.bigquery.errors import already_exists, error_proto, not_found
from local.cloud.bigquery.resources import now_ms
from local.cloud.bigquery.staleness import as_of, seconds_ago
from local.cloud.bigquery.store import Resource, Store, Transaction
from local.cloud.faults.armed import reach
from local.cloud.http import ApiError

log = logging.getLogger(__name__)

WORKERS = 16
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_STATES = {"pending": "PENDING", "running": "RUNNING", "done": "DONE"}


class Stopped(Exception):
    """The job was cancelled before its commit."""


class Task(Protocol):
    """Work that writes in a transaction and tells of it there: a job, or a statement of one."""

    def writing(self, *names: object) -> AbstractContextManager[Transaction]: ...

    def complete(
        self,
        tx: Transaction,
        statistics: Mapping[str, Any],
        destination: Mapping[str, Any] | None = None,
        private: Mapping[str, Any] | None = None,
    ) -> None: ...


class Execution:
    """One job from submission to its end. Its effect is what it commits with `complete`."""

    def __init__(self, key: str, record: Resource, store: Store) -> None:
        self.key = key
        self.record = record
        self.store = store
        self.started: str | None = None
        self.finished: Future[None] = Future()
        self._guard = threading.Lock()
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._cancelled = False
        self._committing = False

    @property
    def resource(self) -> Resource:
        return dict(self.record["resource"])

    @property
    def configuration(self) -> dict[str, Any]:
        return dict(self.record["resource"]["configuration"])

    @property
    def project(self) -> str:
        return str(self.record["resource"]["jobReference"]["projectId"])

    @property
    def location(self) -> str:
        return str(self.record["resource"]["jobReference"]["location"])

    @contextmanager
    def writing(self, *names: object) -> Iterator[Transaction]:
        """A transaction that holds the named tables and that cancelling interrupts."""
        with self.store.locked(*names), self.store.transaction() as tx:
            with self._guard:
                self._raise_if_cancelled()
                self._cursor = tx.cursor
            try:
                yield tx
            finally:
                with self._guard:
                    self._cursor = None

    def complete(
        self,
        tx: Transaction,
        statistics: Mapping[str, Any],
        destination: Mapping[str, Any] | None = None,
        private: Mapping[str, Any] | None = None,
    ) -> None:
        """Adds the job's success to the transaction; from here on it can no longer be cancelled."""
        reach("bigquery.job.commit")
        with self._guard:
            self._raise_if_cancelled()
            self._committing = True
        resource = self._ended(None)
        resource["statistics"] = {**resource["statistics"], **statistics}
        if destination:
            kind = resource["configuration"]["jobType"].lower()
            configuration = dict(resource["configuration"])
            configuration[kind] = {**configuration[kind], "destinationTable": dict(destination)}
            resource["configuration"] = configuration
        tx.put("job", self.key, {**self.record, **(private or {}), "resource": resource})

    def advance(self, tx: Transaction, private: Mapping[str, Any]) -> None:
        """Adds to the transaction how far the job has come: from there it goes on after a crash."""
        self.record = {**self.record, **private}
        tx.put("job", self.key, self.record)

    def fail(self, error: ApiError) -> None:
        """Records the job's failure, which uses up its id as success does."""
        with self.store.transaction() as tx:
            tx.put("job", self.key, {**self.record, "resource": self._ended(error)})

    def cancel(self) -> None:
        with self._guard:
            if not self._committing:
                self._cancelled = True
                if self._cursor is not None:
                    self._cursor.interrupt()

    def _raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise Stopped

    def _ended(self, error: ApiError | None) -> Resource:
        resource = self.resource
        times = {"startTime": self.started or now_ms(), "endTime": now_ms()}
        status: dict[str, Any] = {"state": "DONE"}
        if error is not None:
            proto = error_proto(error)
            status |= {"errorResult": proto, "errors": [proto]}
        resource["status"] = status
        resource["statistics"] = {**resource["statistics"], **times}
        resource["etag"] = secrets.token_urlsafe(16)
        return resource


Work = Callable[[Execution], None]


class Jobs:
    """All jobs of the server; `work` runs a configuration by its lower-case jobType."""

    def __init__(self, store: Store, work: Mapping[str, Work]) -> None:
        self._store = store
        self._work = work
        self._live: dict[str, Execution] = {}
        self._by_request: dict[tuple[str, str], str] = {}
        self._guard = threading.Lock()
        self._stopping = False

    def start(self) -> None:
        self._stopping = False
        self._workers = ThreadPoolExecutor(WORKERS, "bigquery-job")
        for key, record in self._store.all("job").items():
            self._remember_request(key, record)
            if record["resource"]["status"]["state"] != "DONE":
                self._recover(key, record)

    def stop(self) -> None:
        """Interrupts what runs. It stays unfinished on disk and runs again at the next start."""
        self._stopping = True
        for execution in list(self._live.values()):
            execution.cancel()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def submit(
        self, reference: Mapping[str, Any], configuration: dict[str, Any], private: Resource
    ) -> Resource:
        """Accepts a job under its id. Raises ApiError 409 when the id was ever used.

        `private` stays inside the server: the upload that a load reads; a query's requestId, whose
        second submission is answered with the first one's job.
        """
        job_id = str(reference.get("jobId") or f"job_{secrets.token_hex(14)}")
        if not _JOB_ID.fullmatch(job_id):
            raise ApiError(400, f'Invalid job ID "{job_id}".')
        project, location = str(reference["projectId"]), str(reference["location"])
        key = f"{project}:{location}.{job_id}"
        record = {**private, "resource": _new(key, project, location, job_id, configuration)}
        with self._guard:
            first = self._by_request.get((project, str(private.get("requestId"))))
            if first is not None:
                return self.get(first)
            if self._store.get("job", key) is not None:
                raise already_exists("Job", key)
            with self._store.transaction() as tx:
                tx.put("job", key, record)
            self._remember_request(key, record)
            return self._run_later(key, record).resource

    def find(self, project: str, job_id: str, location: str | None) -> str:
        """The key of a job; without a location only US and EU are searched. Raises ApiError 404."""
        for place in [location] if location else ["US", "EU"]:
            normal = place.upper() if place.upper() in ("US", "EU") else place.lower()
            key = f"{project}:{normal}.{job_id}"
            record = self._store.get("job", key)
            if record is not None and not record.get("deleted"):
                return key
        where = f"{location}." if location else ""
        raise not_found("Job", f"{project}:{where}{job_id}")

    def get_stale(self, key: str, seconds: float) -> Resource:
        """The job as it stood some seconds ago, but not before it was created."""
        job = self.get(key)
        moment = max(seconds_ago(seconds), int(job["statistics"]["creationTime"]))
        return as_of(job, moment) or job

    def get(self, key: str) -> Resource:
        """The job as it stands now."""
        execution = self._live.get(key)
        record = self._store.get("job", key)
        if record is None:
            raise not_found("Job", key)
        resource: Resource = record["resource"]
        if execution is None or execution.started is None or resource["status"]["state"] == "DONE":
            return resource
        times = {**resource["statistics"], "startTime": execution.started}
        return {**resource, "status": {"state": "RUNNING"}, "statistics": times}

    def finished(self, key: str) -> Future[None]:
        """Resolves when the job is DONE, however it ended."""
        with self._guard:
            execution = self._live.get(key)
        if execution is not None:
            return execution.finished
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def cancel(self, key: str) -> Resource:
        execution = self._live.get(key)
        if execution is not None:
            execution.cancel()
        return self.get(key)

    def delete(self, key: str) -> None:
        """Hides a finished job. Its id stays used."""
        record = self._store.get("job", key)
        if record is None or self.get(key)["status"]["state"] != "DONE":
            raise ApiError(400, f"Job {key} is still running and cannot be deleted")
        with self._store.transaction() as tx:
            tx.put("job", key, {**record, "deleted": True})

    def listing(
        self,
        project: str,
        states: set[str],
        since: int,
        until: int,
        stale_s: float = 0.0,
        parent: str | None = None,
    ) -> list[Resource]:
        """Jobs of a project, newest first, by state and creation time in milliseconds; as they
        stood `stale_s` seconds ago. Child jobs are listed for their parent only."""
        found = []
        moment = seconds_ago(stale_s)
        for key, record in reversed(self._store.all("job").items()):
            if record.get("deleted"):
                continue
            job = as_of(self.get(key), moment)
            if job is None or job["statistics"].get("parentJobId") != parent:
                continue
            created = int(job["statistics"]["creationTime"])
            if job["jobReference"]["projectId"] != project or not since <= created <= until:
                continue
            if not states or job["status"]["state"] in {_STATES.get(s, s) for s in states}:
                failed = {k: v for k, v in job["status"].items() if k == "errorResult"}
                found.append({**job, "state": job["status"]["state"], **failed})
        return found

    def _remember_request(self, key: str, record: Resource) -> None:
        if record.get("requestId"):
            project = record["resource"]["jobReference"]["projectId"]
            self._by_request[project, record["requestId"]] = key

    def _recover(self, key: str, record: Resource) -> None:
        if record.get("restarted"):
            message = "The server stopped twice while this job ran."
            Execution(key, record, self._store).fail(ApiError(503, message, "backendError"))
            return
        record = {**record, "restarted": True}
        with self._store.transaction() as tx:
            tx.put("job", key, record)
        self._run_later(key, record)

    def _run_later(self, key: str, record: Resource) -> Execution:
        execution = Execution(key, record, self._store)
        self._live[key] = execution
        self._workers.submit(self._run, execution)
        return execution

    def _run(self, execution: Execution) -> None:
        execution.started = now_ms()
        try:
            self._attempt(execution)
        except Exception:
            log.exception("job %s could not be recorded", execution.key)
        finally:
            self._live.pop(execution.key, None)
            execution.finished.set_result(None)

    def _attempt(self, execution: Execution) -> None:
        kind = str(execution.record["resource"]["configuration"]["jobType"]).lower()
        try:
            reach("bigquery.job.begin")
            self._work[kind](execution)
        except (Stopped, duckdb.InterruptException):
            if self._stopping:
                return
            stopped = "Job execution was cancelled: User requested cancellation"
            execution.fail(ApiError(499, stopped, "stopped"))
        except ApiError as error:
            execution.fail(error)
        except Exception as error:
            log.exception("job %s failed", execution.key)
            execution.fail(ApiError(500, f"{type(error).__name__}: {error}", "internalError"))
        if upload := execution.record.get("upload"):
            with suppress(FileNotFoundError):
                Path(upload).unlink()


def _new(
    key: str, project: str, location: str, job_id: str, configuration: dict[str, Any]
) -> Resource:
    return {
        "kind": "bigquery#job",
        "id": key,
        "etag": secrets.token_urlsafe(16),
        "selfLink": f"/bigquery/v2/projects/{project}/jobs/{job_id}?location={location}",
        "jobReference": {"projectId": project, "jobId": job_id, "location": location},
        "configuration": configuration,
        "status": {"state": "PENDING"},
        "statistics": {"creationTime": now_ms()},
        "user_email": "local@nightstream.invalid",
    }
