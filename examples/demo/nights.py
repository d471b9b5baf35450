"""Runs the demo's nights on the stack's Airflow and watches them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local.stack import Stack
from local.stack.airflow_api import AirflowApi

DAG_ID = "babyweight_batch"
OVER = ("success", "failed")


class DemoError(Exception):
    """Something of the demo did not come out as promised."""


@dataclass(frozen=True)
class FinishedRun:
    run_id: str
    score_date: date
    started_by: str
    state: str
    seconds: float


def wait_for_dag(airflow: AirflowApi, seconds: float = 90) -> dict[str, Any]:
    """The DAG, once Airflow has read its file and knows its next data interval."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        dag = airflow.dag(DAG_ID)
        if dag and dag["next_dagrun_data_interval_start"]:
            return dag
        time.sleep(0.5)
    raise DemoError(f"{DAG_ID} did not appear; import errors: {airflow.import_errors() or 'none'}")


def scheduled_night(dag: dict[str, Any], timezone: str) -> date:
    """The score date of the run that the scheduler creates as soon as the DAG is unpaused."""
    start = datetime.fromisoformat(dag["next_dagrun_data_interval_start"])
    return start.astimezone(ZoneInfo(timezone)).date()


def backfill(stack: Stack, first: date, last: date) -> None:
    """Create the backfill as a person would, by the airflow command."""
    command = f"airflow backfill create --dag-id {DAG_ID} --from-date {first} --to-date"
    created = stack.run(*command.split(), str(last + timedelta(days=1)), "--max-active-runs", "3")
    if created.returncode:
        raise DemoError(f"airflow backfill create failed:\n{created.stdout}{created.stderr}")


def watch(
    airflow: AirflowApi,
    nights: Iterable[date],
    say: Callable[[str], None],
    timezone: str,
    seconds: float = 180,
) -> list[FinishedRun]:
    """Tells each task as it ends, until every night has a finished run.

    Raises DemoError when a night fails, or time is up.
    """
    waiting = set(nights)
    told: set[tuple[str, str]] = set()
    finished: list[FinishedRun] = []
    began = time.monotonic()
    while waiting:
        if time.monotonic() - began > seconds:
            raise DemoError(f"no end of {sorted(map(str, waiting))} within {seconds:.0f} s")
        for run in airflow.runs(DAG_ID):
            night = _night(run, timezone)
            if night not in waiting:
                continue
            _tell_tasks(airflow, run, night, told, say)
            if run["state"] in OVER:
                finished.append(_finished(run, night))
                waiting.discard(night)
                if run["state"] == "failed":
                    raise DemoError(f"the run of {night} failed: {_why(airflow, run)}")
        time.sleep(0.5)
    return finished


def _night(run: dict[str, Any], timezone: str) -> date:
    start = datetime.fromisoformat(run["data_interval_start"])
    return start.astimezone(ZoneInfo(timezone)).date()


def _tell_tasks(
    airflow: AirflowApi,
    run: dict[str, Any],
    night: date,
    told: set[tuple[str, str]],
    say: Callable[[str], None],
) -> None:
    tasks = airflow.tasks(DAG_ID, run["dag_run_id"])
    for name, task in sorted(tasks.items(), key=lambda item: item[1]["end_date"] or ""):
        done = task["state"] in ("success", "failed", "upstream_failed")
        if done and (run["dag_run_id"], name) not in told:
            told.add((run["dag_run_id"], name))
            mark = "✓" if task["state"] == "success" else "✗"
            say(f"{night}  {mark} {name}")


def _finished(run: dict[str, Any], night: date) -> FinishedRun:
    start, end = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    return FinishedRun(
        run_id=run["dag_run_id"],
        score_date=night,
        started_by=run["run_type"],
        state=run["state"],
        seconds=(end - start).total_seconds(),
    )


def _why(airflow: AirflowApi, run: dict[str, Any]) -> str:
    """The end of the log of the first task that failed."""
    tasks = airflow.tasks(DAG_ID, run["dag_run_id"])
    for name, task in tasks.items():
        if task["state"] == "failed":
            log = airflow.log(DAG_ID, run["dag_run_id"], name, task["try_number"])
            return f"{name}\n" + "\n".join(log.splitlines()[-25:])
    return "no task failed"
