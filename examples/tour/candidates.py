"""The chapters of the releases: a better candidate is promoted, a worse one is refused."""

from __future__ import annotations

import time

from examples.demo.dag_runs import DagRuns, wait_for_dag
from examples.demo.show import DemoError
from examples.tour.guide import Guide
from nightstream.lifecycle.ledger import Outcome

MODEL_DAG = "babyweight_model"


def promoted(guide: Guide, version: str) -> None:
    """The better candidate, and the streaming job that follows it."""
    show = guide.show
    show.chapter("A better candidate: the next version is a regression over splines")
    show.train(version)
    wait_for_dag(show.airflow, MODEL_DAG)
    show.airflow.pause(MODEL_DAG, paused=False)
    began = time.monotonic()
    run_id = _triggered(guide)
    DagRuns(show.airflow, MODEL_DAG, guide.say).see_to_its_end(run_id, "release")
    guide.say(str(show.airflow.xcom(MODEL_DAG, run_id, "compare")))
    guide.say(f"{show.models}/champion now says {version}, and the job follows:")
    guide.wait(f"the job runs {version}", lambda: guide.runs(version))
    guide.wait(f"{version} is stable", guide.became(version, Outcome.STABLE))
    guide.say(f"The job was replaced in place: {guide.service_since(began)}.")


def refused(guide: Guide, version: str, champion: str) -> None:
    """The worse candidate; nothing changes. Raises DemoError where something did."""
    show = guide.show
    show.chapter("A worse candidate: the next one has learned from 40 births")
    show.train(version, "--births", "40")
    run_id = _triggered(guide)
    runs = DagRuns(show.airflow, MODEL_DAG, guide.say)
    log = runs.see_it_fail(run_id, "release", "compare")
    guide.say(next(line for line in reversed(log.splitlines()) if "REFUSED" in line))
    still = guide.objects.read(f"{show.models}/champion").decode().strip()
    if still != champion:
        raise DemoError(f"the champion was to stay {champion}, and is {still}")
    guide.say(f"Nothing was changed: {show.models}/champion says {still}.")


def _triggered(guide: Guide) -> str:
    guide.say(f"$ airflow dags trigger {MODEL_DAG}")
    return guide.show.airflow.trigger(MODEL_DAG)
