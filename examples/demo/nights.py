"""The chapters of the nights: one run by the scheduler, others backfilled, all of them checked."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from examples.babyweight.nights import Night, make_night, upload_night
from examples.demo.books import differences, read_nights, sample_predictions
from examples.demo.dag_runs import DagRuns, wait_for_dag
from examples.demo.report import NightLine, show_dead_letters, show_nights, show_samples
from examples.demo.show import DemoError, Show
from local.stack import Stack

DAG_ID = "babyweight_batch"
BACKFILLED = 3
_PATIENCE_S = 300


@dataclass(frozen=True)
class FinishedRun:
    run_id: str
    score_date: date
    started_by: str
    state: str
    seconds: float


def play_nights(show: Show) -> list[str]:
    """The nights, told; what did not add up."""
    timezone = show.spec.schedule.timezone
    dag = wait_for_dag(show.airflow, DAG_ID, lambda d: bool(d["next_dagrun_data_interval_start"]))
    last = scheduled_night(dag, timezone)
    first = last - timedelta(days=BACKFILLED)
    show.chapter(f"{BACKFILLED + 1} nights of requests, some rows of each broken")
    nights = _upload_nights(show, first)
    runs = DagRuns(show.airflow, DAG_ID, show.say)

    show.chapter(f"{DAG_ID} is switched on: the scheduler runs the night of {last}")
    show.airflow.pause(DAG_ID, paused=False)
    finished = watch(runs, [last], timezone)

    show.chapter(f"A backfill of the {BACKFILLED} nights before it")
    backfill(show.stack, first, last - timedelta(days=1))
    finished += watch(runs, [night.score_date for night in nights[:-1]], timezone)

    show.chapter("What BigQuery holds of the nights")
    lines = _lines(show, nights, finished)
    show_nights(show.console, lines)
    show_dead_letters(show.console, lines)
    show_samples(show.console, sample_predictions(show.bigquery, show.dataset, last))
    return [fault for line in lines for fault in differences(line.sent, line.published)]


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


def watch(runs: DagRuns, nights: Iterable[date], timezone: str) -> list[FinishedRun]:
    """Tells each task as it ends, until every night has a finished run.

    Raises DemoError when a night fails, or time is up.
    """
    waiting = set(nights)
    finished: list[FinishedRun] = []
    deadline = time.monotonic() + _PATIENCE_S
    while waiting:
        if time.monotonic() > deadline:
            raise DemoError(f"no end of {sorted(map(str, waiting))} within {_PATIENCE_S} s")
        for run in runs.all():
            night = _night(run, timezone)
            if night in waiting and runs.look(run, str(night)):
                finished.append(_finished(run, night))
                waiting.discard(night)
        time.sleep(0.5)
    return finished


def _upload_nights(show: Show, first: date) -> list[Night]:
    nights = [make_night(first + timedelta(days=n)) for n in range(BACKFILLED + 1)]
    for night in nights:
        folder = show.spec.input.folder(night.score_date)
        upload_night(night, f"gs://{show.environment.buckets.input}/{folder}")
        broken = sum(night.dead.values())
        show.say(f"{night.score_date}  {night.rows} rows, {broken} of them broken")
    return nights


def _lines(show: Show, nights: list[Night], finished: list[FinishedRun]) -> list[NightLine]:
    published = read_nights(show.bigquery, show.dataset, [night.score_date for night in nights])
    by_night = {run.score_date: run for run in finished}
    return [
        NightLine(sent, found, run.started_by, run.seconds)
        for sent, found in zip(nights, published, strict=True)
        for run in (by_night[sent.score_date],)
    ]


def _night(run: dict[str, Any], timezone: str) -> date:
    start = datetime.fromisoformat(run["data_interval_start"])
    return start.astimezone(ZoneInfo(timezone)).date()


def _finished(run: dict[str, Any], night: date) -> FinishedRun:
    start, end = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    return FinishedRun(
        run_id=run["dag_run_id"],
        score_date=night,
        started_by=run["run_type"],
        state=run["state"],
        seconds=(end - start).total_seconds(),
    )
