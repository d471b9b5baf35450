"""A small client of the stack's Airflow, through its REST API (`/api/v2`)."""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from local.stack.http import loopback_session

_TIMEOUT_S = 30


class AirflowApi:
    """What the demo and the tests ask of Airflow. Raises requests.HTTPError on a refusal."""

    def __init__(self, url: str, user: str = "admin", password: str = "admin") -> None:
        self._root = f"{url}/api/v2"
        self._session = loopback_session()
        # Questions are asked again: a machine under load may take longer than that to answer one.
        self._session.mount("http://", HTTPAdapter(max_retries=Retry(3, backoff_factor=1)))
        login = {"username": user, "password": password}
        token = self._session.post(f"{url}/auth/token", json=login, timeout=_TIMEOUT_S)
        token.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """The DAG as the scheduler knows it; None while it does not."""
        answer = self._session.get(f"{self._root}/dags/{dag_id}", timeout=_TIMEOUT_S)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def import_errors(self) -> dict[str, str]:
        """What keeps DAG files from being read, by file."""
        errors = self._get("/importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def pause(self, dag_id: str, paused: bool) -> None:
        self._send("PATCH", f"/dags/{dag_id}", {"is_paused": paused})

    def trigger(
        self, dag_id: str, conf: dict[str, Any] | None = None, logical_date: str | None = None
    ) -> str:
        """Start a run by hand; its run id."""
        body = {"conf": conf or {}, "logical_date": logical_date}
        run_id: str = self._send("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"]
        return run_id

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The DAG's runs, oldest first."""
        path = f"/dags/{dag_id}/dagRuns?limit=1000&order_by=run_after"
        found: list[dict[str, Any]] = self._get(path)["dag_runs"]
        return found

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return self._get(f"/dags/{dag_id}/dagRuns/{run_id}")

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """The task instances of a run, by task id."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000"
        return {task["task_id"]: task for task in self._get(path)["task_instances"]}

    def backfills_under_way(self, dag_id: str) -> int:
        """Airflow refuses a second backfill of a DAG while one is under way; the scheduler marks
        it complete some moments after its last run has ended."""
        found = self._get(f"/backfills?dag_id={dag_id}&limit=1000")["backfills"]
        return sum(backfill["completed_at"] is None for backfill in found)

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self._get(path)["value"]

    def link(self, dag_id: str, run_id: str, task_id: str, name: str) -> str | None:
        """Where the button of that name on a task leads; None where it leads nowhere."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/links"
        links: dict[str, str | None] = self._get(path)["extra_links"]
        return links[name]

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> str:
        """The log of one try of a task, as text."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        content = self._get(path)["content"]
        return "\n".join(map(_told, content))

    def clear(self, dag_id: str, run_id: str, task_ids: list[str] | None = None) -> None:
        """Let a run go again, the whole of it or some of its tasks and what follows them."""
        body: dict[str, Any] = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": False,
            "reset_dag_runs": True,
            "include_downstream": True,
        }
        if task_ids:
            body["task_ids"] = task_ids
        self._send("POST", f"/dags/{dag_id}/clearTaskInstances", body)

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._session.get(self._root + path, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def _send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.request(method, self._root + path, json=body, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        sent: dict[str, Any] = answer.json()
        return sent


def _told(line: dict[str, Any]) -> str:
    """What a log line says; the text of an exception stands beside it."""
    errors = [
        f"{error['exc_type']}: {error['exc_value']}" for error in line.get("error_detail") or ()
    ]
    return "\n".join([str(line.get("event", line)), *errors])
