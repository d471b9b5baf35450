"""Runs of a DAG, watched as a person would in the UI."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from examples.demo.show import DemoError
from local.stack.airflow_api import AirflowApi

OVER = ("success", "failed")
_LOG_LINES = 25
_LOOK_S = 0.5


def wait_for_dag(
    airflow: AirflowApi,
    dag_id: str,
    ready: Callable[[dict[str, Any]], bool] = lambda _: True,
    seconds: float = 90,
) -> dict[str, Any]:
    """The DAG, once Airflow has read its file and it is ready.

    Raises DemoError, with the import errors, when time is up.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        dag = airflow.dag(dag_id)
        if dag and ready(dag):
            return dag
        time.sleep(_LOOK_S)
    raise DemoError(f"{dag_id} did not appear; import errors: {airflow.import_errors() or 'none'}")


class DagRuns:
    """The runs of one DAG; each task is told once, when it has ended."""

    def __init__(self, airflow: AirflowApi, dag_id: str, say: Callable[[str], None]) -> None:
        self._airflow = airflow
        self._dag_id = dag_id
        self._say = say
        self._told: set[tuple[str, str]] = set()

    def all(self) -> list[dict[str, Any]]:
        """Oldest first."""
        return self._airflow.runs(self._dag_id)

    def look(self, run: dict[str, Any], label: str) -> bool:
        """Tells of the tasks that have ended; whether the run is over.

        Raises DemoError when it failed.
        """
        tasks = self._tell(run["dag_run_id"], label)
        if run["state"] == "failed":
            raise DemoError(f"the run of {label} failed: {self._why(run['dag_run_id'], tasks)}")
        return run["state"] in OVER

    def see_to_its_end(self, run_id: str, label: str, seconds: float = 180) -> None:
        """Watches one run. Raises DemoError when it fails, or time is up."""
        self._watch(run_id, label, self.look, seconds)

    def see_it_fail(self, run_id: str, label: str, task_id: str, seconds: float = 180) -> str:
        """Watches one run that must fail in that task; the log of its last try.

        Raises DemoError when the run fails elsewhere or not at all, or time is up.
        """

        def failed(run: dict[str, Any], label: str) -> bool:
            tasks = self._tell(run["dag_run_id"], label)
            if run["state"] == "failed" and tasks[task_id]["state"] != "failed":
                raise DemoError(f"{label} failed: {self._why(run['dag_run_id'], tasks)}")
            return run["state"] in OVER

        self._watch(run_id, label, failed, seconds)
        task = self._airflow.tasks(self._dag_id, run_id)[task_id]
        if task["state"] != "failed":
            raise DemoError(f"{label}: {task_id} was to fail, and is {task['state']}")
        return self._airflow.log(self._dag_id, run_id, task_id, task["try_number"])

    def _watch(
        self, run_id: str, label: str, over: Callable[[dict[str, Any], str], bool], seconds: float
    ) -> None:
        deadline = time.monotonic() + seconds
        while not over(self._airflow.run(self._dag_id, run_id), label):
            if time.monotonic() > deadline:
                raise DemoError(f"no end of {self._dag_id} {run_id} within {seconds:.0f} s")
            time.sleep(_LOOK_S)

    def _tell(self, run_id: str, label: str) -> dict[str, dict[str, Any]]:
        """Tells each task once, when it has ended; the tasks by name."""
        tasks = self._airflow.tasks(self._dag_id, run_id)
        for name, task in sorted(tasks.items(), key=lambda item: item[1]["end_date"] or ""):
            done = task["state"] in ("success", "failed", "upstream_failed")
            if done and (run_id, name) not in self._told:
                self._told.add((run_id, name))
                mark = "✓" if task["state"] == "success" else "✗"
                self._say(f"{label}  {mark} {name}")
        return tasks

    def _why(self, run_id: str, tasks: dict[str, dict[str, Any]]) -> str:
        """The end of the log of the first task that failed."""
        for name, task in tasks.items():
            if task["state"] == "failed":
                log = self._airflow.log(self._dag_id, run_id, name, task["try_number"])
                return f"{name}\n" + "\n".join(log.splitlines()[-_LOG_LINES:])
        return "no task failed"
