"""The rounds of the streaming DAG, told while they happen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local.stack.airflow_api import AirflowApi

_ALERT = "NIGHTSTREAM ALERT"
_OVER = ("success", "failed")


class Rounds:
    """Tells what each round decided and why, once, in the DAG's own words; a round that decides as
    the one before did is passed over."""

    def __init__(self, airflow: AirflowApi, dag_id: str, say: Callable[[str], None]) -> None:
        self._airflow = airflow
        self._dag_id = dag_id
        self._say = say
        self._decided: set[str] = set()
        self._ended: set[str] = set()
        self._said_last = ""
        self.alerts: list[str] = []
        """What people were told so far."""

    @property
    def count(self) -> int:
        """How many rounds have come to a decision."""
        return len(self._decided)

    def look(self) -> None:
        """Tells of what has come since the last look."""
        for run in self._airflow.runs(self._dag_id):
            run_id = run["dag_run_id"]
            if run_id not in self._ended:
                self._look_at(run_id, run["state"])

    def last_failure(self) -> str:
        """The end of the log of the task that failed last; empty where none did."""
        for run in reversed(self._airflow.runs(self._dag_id)):
            tasks = self._airflow.tasks(self._dag_id, run["dag_run_id"])
            for name, task in tasks.items():
                if task["state"] == "failed":
                    log = self._log(run["dag_run_id"], name, task)
                    return f"{run['dag_run_id']}, {name}:\n" + "\n".join(log.splitlines()[-15:])
        return ""

    def _look_at(self, run_id: str, state: str) -> None:
        tasks = self._airflow.tasks(self._dag_id, run_id)
        if run_id not in self._decided and tasks.get("decide", {}).get("state") == "success":
            self._decided.add(run_id)
            self._tell(self._airflow.xcom(self._dag_id, run_id, "decide", "reasons"))
        if state in _OVER:
            self._ended.add(run_id)
            self._hear_alerts(run_id, tasks)

    def _tell(self, sentences: list[str]) -> None:
        text = "\n".join(sentences)
        if alike(text) == self._said_last:
            return
        self._said_last = alike(text)
        for number, sentence in enumerate(map(shortened, sentences)):
            self._say(f"{f'round {self.count}' if number == 0 else '':<10}{sentence}")

    def _hear_alerts(self, run_id: str, tasks: dict[str, dict[str, Any]]) -> None:
        record = tasks.get("record", {})
        if record.get("state") not in _OVER:
            return
        for line in self._log(run_id, "record", record).splitlines():
            if line.startswith(_ALERT):
                self.alerts.append(line)
                self._say(f"{'ALERT':<10}{shortened(line.removeprefix(_ALERT).strip())}")

    def _log(self, run_id: str, task_id: str, task: dict[str, Any]) -> str:
        return self._airflow.log(self._dag_id, run_id, task_id, task["try_number"])


def alike(text: str) -> str:
    """The same for texts that differ in their figures only."""
    return re.sub(r"(?<![0-9a-f])[\d,.]+", "#", text)


def shortened(text: str) -> str:
    """With the first digits of each revision instead of all forty, and the times of job ids."""
    text = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{32}\b", r"\1", text)
    return re.sub(r"(\d{4}(-\d\d){2}(_\d\d){3})-\d+", r"\1…", text)
