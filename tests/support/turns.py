"""Drives a task turn by turn, as Airflow would: defers, triggers, reschedules, skips.

The parts of Airflow that a task talks to are small values here, so that a test can kill a task
between two turns, or run the tasks of several DAG runs side by side.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.sdk.exceptions import AirflowRuntimeError, DownstreamTasksSkipped, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse
from airflow.sdk.module_loading import import_string

from nightstream.forms.batch import night_form


@dataclass
class DagRun:
    """One run of a DAG, and the XComs of its tasks."""

    run_id: str = "manual__1"
    dag_id: str = "weights_batch"
    params: dict[str, Any] = field(default_factory=dict)
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    run_after: datetime = datetime(2026, 1, 6, 7, tzinfo=UTC)
    start_date: datetime | None = datetime(2026, 1, 6, 7, 0, 1, tzinfo=UTC)
    triggering_user_name: str | None = None
    xcoms: dict[tuple[str, str], Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    """States of other runs, by run id; those not named are running."""
    deleted: set[str] = field(default_factory=set)
    """Ids of other runs that are there no longer."""
    events: dict[Any, SimpleNamespace] = field(
        default_factory=lambda: defaultdict(lambda: SimpleNamespace(extra={}))
    )
    """Asset events, by asset."""


@dataclass
class TaskInstance:
    """What a task sees of itself."""

    run: DagRun
    task: Any
    try_number: int = 1
    map_index: int = -1
    first_reschedule: datetime | None = None

    @property
    def dag_id(self) -> str:
        return self.run.dag_id

    @property
    def run_id(self) -> str:
        return self.run.run_id

    def xcom_push(self, key: str, value: Any) -> None:
        self.run.xcoms[self.task.task_id, key] = value

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        return self.run.xcoms.get((task_ids, key))

    def get_first_reschedule_date(self, context: Any) -> datetime | None:  # noqa: ARG002
        return self.first_reschedule

    def get_task_breadcrumbs(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        assert (dag_id, run_id) == (self.dag_id, self.run_id)
        return [{"task_id": "audit", "state": "success", "duration": 1.5}]

    def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
        if run_id in self.run.deleted:
            detail = {"status_code": 404, "message": f"DAG run {dag_id} {run_id} not found"}
            raise AirflowRuntimeError(
                ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail)
            )
        return self.run.states.get(run_id, "running")


@dataclass
class Task:
    """One task of one DAG run."""

    operator: Any
    run: DagRun
    try_number: int = 1
    form: dict[str, Any] = field(default_factory=night_form)
    """What the DAG run is asked for, and the defaults."""
    turns: int = 0
    skipped: list[str] = field(default_factory=list)
    """Tasks downstream that it skipped."""
    _next: TaskDeferred | None = None
    _rescheduled: AirflowRescheduleException | None = None
    _first_reschedule: datetime | None = None

    def turn(self) -> bool:
        """One turn on a worker; False when the task has to wait. Returns True when it is done."""
        self.turns += 1
        ti = TaskInstance(
            self.run, self.operator, self.try_number, first_reschedule=self._first_reschedule
        )
        defaults = {name: param.value for name, param in self.form.items()}
        context = {
            "ti": ti,
            "dag_run": self.run,
            "params": defaults | self.run.params,
            "task": self.operator,
            "outlet_events": self.run.events,
        }
        deferred, self._next, self._rescheduled = self._next, None, None
        try:
            result = (
                getattr(self.operator, deferred.method_name)(
                    context, event="it fired", **(deferred.kwargs or {})
                )
                if deferred
                else self.operator.execute(context)
            )
        except TaskDeferred as again:
            self._next = again
            return False
        except AirflowRescheduleException as again:
            self._rescheduled = again
            self._first_reschedule = self._first_reschedule or datetime.now(UTC)
            return False
        except DownstreamTasksSkipped as skip:
            self.skipped = [task if isinstance(task, str) else task[0] for task in skip.tasks]
            return True
        if result is not None:
            ti.xcom_push("return_value", result)
        return True

    def wait(self, seconds: float = 60) -> None:
        """What happens between two turns: the trigger runs, or time passes."""
        if self._next is not None:
            # The triggerer has another process's copy of the trigger.
            path, kwargs = self._next.trigger.serialize()
            trigger = import_string(path)(**kwargs)
            asyncio.run(asyncio.wait_for(anext(aiter(trigger.run())), seconds))
        if self._rescheduled is not None:
            until = self._rescheduled.reschedule_date
            time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))

    def finish(self) -> Any:
        """Turns until the task is done; what it returned."""
        while not self.turn():
            self.wait()
        return self.run.xcoms.get((self.operator.task_id, "return_value"))
