"""The example service's streaming DAG on a stack: rounds watched, actions asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from local.stack.http import loopback_session
from tests.support.stack_nights import StackNights

DAG_ID = "babyweight_streaming"
JOB_NAME = "babyweight-live-a"
TASKS = ("observe", "decide", "act", "record")
_PATIENCE_S = 240
_ENDED = ("DRAINED", "CANCELLED", "FAILED", "UPDATED", "DONE")


@dataclass(frozen=True)
class StackRounds:
    nights: StackNights
    """The service, seen through its streaming DAG."""

    @classmethod
    def on(cls, nights: StackNights) -> StackRounds:
        """Switches the DAG on: from now on a round follows the other."""
        return cls(nights.switched_on(DAG_ID))

    def act(self, action: str, **choices: Any) -> str:
        """Triggers a round by hand and sees it succeed; its id."""
        nights = self.nights
        run_id = nights.airflow.trigger(DAG_ID, {"action": action, **choices})
        [state] = nights.finished(run_id)
        failed = [name for name, its in nights.task_states(run_id).items() if its == "failed"]
        assert state == "success", "\n".join(nights.log(run_id, name) for name in failed)
        return run_id

    def rounds(self) -> list[dict[str, Any]]:
        """The runs that are over, oldest first."""
        runs = self.nights.airflow.runs(DAG_ID)
        return [run for run in runs if run["state"] in ("success", "failed")]

    def wait_for_rounds(self, count: int) -> list[dict[str, Any]]:
        """So many more rounds, once they are over."""
        before = len(self.rounds())
        deadline = time.monotonic() + _PATIENCE_S
        while len(rounds := self.rounds()) < before + count:
            assert time.monotonic() < deadline, rounds
            time.sleep(0.5)
        return rounds[before:]

    def worker_seconds(self, run_id: str) -> dict[str, float]:
        """How long each task of a round took a worker; a skipped one took none."""
        tasks = self.nights.airflow.tasks(DAG_ID, run_id)
        return {name: float(tasks[name]["duration"] or 0) for name in TASKS}

    def jobs(self) -> dict[str, str]:
        """The states of the jobs of slot a, by id, oldest first."""
        settings = self.nights.stack.settings
        path = f"v1b3/projects/{settings.names.project}/locations/us-central1/jobs"
        with loopback_session() as session:
            query = {"name": JOB_NAME, "filter": "ALL"}
            answer = session.get(f"{settings.cloud_url}/{path}", params=query, timeout=30)
        answer.raise_for_status()
        jobs = sorted(answer.json().get("jobs", []), key=lambda job: job["createTime"])
        return {job["id"]: job["currentState"].removeprefix("JOB_STATE_") for job in jobs}

    def wait_for_job(self, state: str) -> str:
        """The job that was created last, once it is in that state; its id."""
        deadline = time.monotonic() + _PATIENCE_S
        while list((jobs := self.jobs()).values())[-1:] != [state]:
            assert time.monotonic() < deadline, (jobs, self._said())
            time.sleep(0.5)
        return list(jobs)[-1]

    def end(self) -> None:
        """No job and no rounds any more."""
        self.act("cancel")
        deadline = time.monotonic() + _PATIENCE_S
        while not set(self.jobs().values()) <= set(_ENDED):
            assert time.monotonic() < deadline, self.jobs()
            time.sleep(0.5)
        self.nights.airflow.pause(DAG_ID, paused=True)

    def _said(self) -> str:
        """What the last round has to say."""
        rounds = self.rounds()
        if not rounds:
            return f"no round is over; {self.nights.airflow.import_errors()}"
        run_id = rounds[-1]["dag_run_id"]
        return "\n".join(
            self.nights.log(run_id, name)
            for name, state in self.nights.task_states(run_id).items()
            if state in ("success", "failed")
        )
