"""The chapters of the repairs: dead letters of a night, and of requests, tried again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import yaml

from beam_jobs.runs.dead_letter import ErrorCode
from examples.demo.books import read_nights
from examples.demo.dag_runs import DagRuns, wait_for_dag
from examples.demo.show import DemoError, Show
from examples.tour.books import read_fates
from examples.tour.guide import Guide

DAG_ID = "babyweight_replay"
_OLDEST = 99
"""The rows out of range say 99 years."""


def repaired(show: Show, score_date: date) -> list[str]:
    """The night's dead letters under another contract. What did not add up."""
    show.chapter("Two rows were refused for a mother of 99: suppose that the contract was wrong")
    (before,) = read_nights(show.bigquery, show.dataset, [score_date])
    _allow(show, "mother_age", [10, _OLDEST])
    show.say(f"dags/services/babyweight.yaml: mother_age may be up to {_OLDEST}")
    choices = {"from_date": str(score_date), "error_codes": ["out_of_range"]}
    _replayed(show, choices, "replay of the night")
    (after,) = read_nights(show.bigquery, show.dataset, [score_date])
    wrong = before.dead["out_of_range"]
    show.say(
        f"{before.scored} predictions and {sum(before.dead.values())} dead letters before, "
        f"{after.scored} and {sum(after.dead.values())} now"
    )
    if (after.scored, after.dead.get("out_of_range", 0)) != (before.scored + wrong, 0):
        return [f"{score_date}: {wrong} rows were to be repaired, {after} is published"]
    return []


def sent_again(guide: Guide, since: date) -> None:
    """The requests that the careless model could not score."""
    show = guide.show
    show.chapter("The requests that v4 could not score are sent again")
    choices = {
        "source": "streaming",
        "from_date": str(since),
        "to_date": str(datetime.now(UTC).date()),
        "error_codes": [str(ErrorCode.PREDICTION_FAILED)],
    }
    _replayed(show, choices, "replay of requests")

    def scored() -> bool:
        fates = read_fates(show.bigquery, show.dataset, since)
        return all(fate.error_code != ErrorCode.PREDICTION_FAILED for fate in fates)

    guide.wait("all of them are scored", scored, seconds=120)


def reconciled(show: Show, first: date) -> list[str]:
    """Whether the books of all nights and requests close: what does not."""
    show.chapter("The books of the whole service, from objects, tables and ledgers")
    days = ("--from", str(first), "--to", str(datetime.now(UTC).date()))
    dags = ("--dags", str(show.stack.settings.dags))
    try:
        show.run("nightstream.reconcile", "--service", show.spec.service, *days, *dags)
    except DemoError as error:
        return [str(error)]
    return []


def _allow(show: Show, field: str, values: list[float]) -> None:
    """Changes the range of a field in the service's declaration, as a person would."""
    file = show.stack.settings.services / "babyweight.yaml"
    declared: dict[str, Any] = yaml.safe_load(file.read_text())
    for each in declared["input"]["fields"]:
        if each["name"] == field:
            each["range"] = values
    file.write_text(yaml.safe_dump(declared, sort_keys=False))


def _replayed(show: Show, choices: dict[str, Any], label: str) -> None:
    wait_for_dag(show.airflow, DAG_ID)
    show.airflow.pause(DAG_ID, paused=False)
    run_id = show.airflow.trigger(DAG_ID, choices)
    DagRuns(show.airflow, DAG_ID, show.say).see_to_its_end(run_id, label)
