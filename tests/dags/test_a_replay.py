"""A replay by Airflow itself: which way it goes, and where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tests.dags.test_a_night import dataset as dataset
from tests.dags.test_a_night import objects as objects
from tests.dags.test_a_night import states
from tests.support.local_cloud import PROJECT

STEPS = ["resolve", "score", "audit", "publish", "record", "remember"]


def replayed(dags: Path, **form: Any) -> dict[str, str]:
    """States of the tasks of one run."""
    dag = DagBag(dag_folder=str(dags / "replay.py")).dags["weights_replay"]
    return states(dag.test(run_conf=form))


@pytest.mark.long
@pytest.mark.usefixtures("airflow_database", "objects")
def test_one_day_is_one_night_and_nothing_is_triggered(dags: Path) -> None:
    """The night is not published, so its replay ends with `resolve`."""
    found = replayed(dags, from_date="2026-01-05")
    assert found == {
        "choose": "success",
        "nights": "skipped",
        "each_night": "skipped",
        "resolve": "failed",
        **dict.fromkeys(STEPS[1:], "upstream_failed"),
    }


@pytest.mark.long
@pytest.mark.usefixtures("airflow_database", "objects")
def test_each_of_several_nights_becomes_a_run_of_its_own(dags: Path, dataset: str) -> None:
    client = bigquery.Client(PROJECT, AnonymousCredentials())
    nights = "UNNEST([DATE '2026-01-05', DATE '2026-01-07', DATE '2026-02-01']) AS score_date"
    client.query_and_wait(
        f"CREATE TABLE {dataset}.weights_dead_letters AS "
        f"SELECT score_date, 'pattern' AS error_code FROM {nights}"
    )
    dag = DagBag(dag_folder=str(dags / "replay.py")).dags["weights_replay"]
    run = dag.test(run_conf={"from_date": "2026-01-01", "to_date": "2026-01-31"})
    triggered = [ti for ti in run.get_task_instances() if ti.task_id == "each_night"]
    assert sorted(ti.map_index for ti in triggered) == [0, 1]
    assert {states(run)[step] for step in STEPS} == {"skipped"}
