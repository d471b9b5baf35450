"""Real nights, scored and published by the real scheduler, checked to the row.

python -m examples.demo [--keep]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from rich.console import Console

from beam_jobs.spec import load_environment, load_service
from examples.babyweight.nights import make_night, upload_night
from examples.demo.books import differences, read_nights, sample_predictions
from examples.demo.nights import (
    DAG_ID,
    DemoError,
    backfill,
    scheduled_night,
    wait_for_dag,
    watch,
)
from examples.demo.report import NightLine, show_dead_letters, show_nights, show_samples
from local.stack import Stack, StackError, StackSettings
from local.stack.airflow_api import AirflowApi
from local.stack.report import Lines

BACKFILLED = 3
REPOSITORY = Path(__file__).parents[2]


class Demo:
    """The story, told on a terminal; each chapter is a method."""

    def __init__(self, settings: StackSettings, console: Console) -> None:
        self.stack = Stack(settings, Lines(console))
        self._console = console
        self._began = time.monotonic()
        self._spec = load_service(REPOSITORY / "dags/services/babyweight.yaml")

    def run(self) -> list[str]:
        """The whole show; what did not add up."""
        self._chapter("A stack on this machine: Airflow, PostgreSQL, the local cloud")
        self.stack.up()
        os.environ.update(self.stack.env)
        environment = load_environment(REPOSITORY / "dags/environments", "local")
        airflow = AirflowApi(self.stack.settings.airflow_url)

        self._chapter("A model, trained on 1,449 real births")
        self._train(environment.buckets.models)

        dag = wait_for_dag(airflow)
        timezone = self._spec.schedule.timezone
        last = scheduled_night(dag, timezone)
        first = last - timedelta(days=BACKFILLED)
        self._chapter(f"{BACKFILLED + 1} nights of requests, some rows of each broken")
        nights = [make_night(first + timedelta(days=n)) for n in range(BACKFILLED + 1)]
        for night in nights:
            folder = self._spec.input.folder(night.score_date)
            upload_night(night, f"gs://{environment.buckets.input}/{folder}")
            broken = sum(night.dead.values())
            self._say(f"{night.score_date}  {night.rows} rows, {broken} of them broken")

        self._chapter(f"{DAG_ID} is switched on: the scheduler runs the night of {last}")
        airflow.pause(DAG_ID, paused=False)
        runs = watch(airflow, [last], self._say, timezone)

        self._chapter(f"A backfill of the {BACKFILLED} nights before it")
        backfill(self.stack, first, last - timedelta(days=1))
        runs += watch(airflow, [n.score_date for n in nights[:-1]], self._say, timezone)

        self._chapter("What BigQuery holds")
        client = bigquery.Client(environment.project, AnonymousCredentials())
        dataset = environment.bigquery.dataset
        published = read_nights(client, dataset, [night.score_date for night in nights])
        by_night = {run.score_date: run for run in runs}
        lines = [
            NightLine(sent, found, run.started_by, run.seconds)
            for sent, found in zip(nights, published, strict=True)
            for run in (by_night[sent.score_date],)
        ]
        show_nights(self._console, lines)
        show_dead_letters(self._console, lines)
        show_samples(self._console, sample_predictions(client, dataset, last))
        return [d for line in lines for d in differences(line.sent, line.published)]

    def _train(self, bucket: str) -> None:
        models = f"gs://{bucket}/{self._spec.service}"
        command = ["-m", "examples.babyweight.train", "--models", models, "--alias", "champion"]
        trained = self.stack.run(sys.executable, *command)
        if trained.returncode:
            raise DemoError(f"training failed:\n{trained.stderr}")
        self._say(trained.stdout.strip())

    def _chapter(self, title: str) -> None:
        elapsed = time.monotonic() - self._began
        self._console.print(f"\n[bold]{title}[/bold]  [dim]{elapsed:.0f} s[/dim]", highlight=False)

    def _say(self, line: str) -> None:
        self._console.print(f"  {line}", highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave the stack running at the end")
    keep = parser.parse_args().keep

    console = Console()
    began = time.monotonic()
    settings = StackSettings.from_environment(os.environ)
    settings = replace(settings, home=settings.home / "demo")
    demo = Demo(settings, console)
    faults = ["the demo did not come to its end"]
    try:
        Stack(settings).down()
        shutil.rmtree(settings.home, ignore_errors=True)
        faults = demo.run()
    except (DemoError, StackError) as error:
        faults = [str(error)]
    finally:
        if keep:
            console.print(f"\nThe stack stays up: {settings.airflow_url}, login admin / admin.")
        else:
            demo.stack.down()
    _close(console, settings, faults, time.monotonic() - began, keep)
    return 1 if faults else 0


def _close(
    console: Console, settings: StackSettings, faults: list[str], seconds: float, keep: bool
) -> None:
    for fault in faults:
        console.print(f"[red]✗ {fault}[/red]", highlight=False)
    if faults:
        console.print(f"\nThe demo failed after {seconds:.0f} s; logs: {settings.logs}")
        return
    console.print(f"\n[green]✓ Every row is accounted for.[/green] {seconds:.0f} s in all.")
    command = "make down" if keep else "make up"
    home = f"NIGHTSTREAM_HOME={os.path.relpath(settings.home)}"
    aim = "to stop it" if keep else f"to look around: {settings.airflow_url}/dags/{DAG_ID}"
    console.print(f"  {home} {command}   # {aim}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
