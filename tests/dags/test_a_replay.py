"""A replay by Airflow itself: which way it goes, and where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from tests.dags.test_a_night import dataset as dataset
from tests.dags.test_a_night import objects as objects
from tests.dags.test_a_night import states

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
        "each_night": "skipped",
        "resolve": "failed",
        **dict.fromkeys(STEPS[1:], "upstream_failed"),
    }
