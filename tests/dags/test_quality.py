"""The DAG that measures predictions by labels: what it declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from tests.dags.conftest import add_service

LABELS = {"label": "truth", "metric": "rmse", "days": 14}


def declared(dags: Path, **labels: Any) -> DAG:
    add_service(dags, "heights", labels={**LABELS, **labels})
    bag = DagBag(dag_folder=str(dags / "quality.py"))
    assert bag.import_errors == {}
    assert set(bag.dags) == {"heights_quality"}, "weights declares no labels"
    return bag.dags["heights_quality"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("source", "steps"),
    [({"table": "warehouse.truth"}, ["measure"]), ({"files": "t/*.csv"}, ["load", "measure"])],
)
def test_files_are_loaded_before_they_are_measured(
    dags: Path, source: dict[str, str], steps: list[str]
) -> None:
    dag = declared(dags, **source)
    assert [task.task_id for task in dag.topological_sort()] == steps
    assert dag.get_task("measure").upstream_task_ids == set(steps[:-1])


def test_it_runs_once_a_day_and_never_twice_at_a_time(dags: Path) -> None:
    dag = declared(dags, table="warehouse.truth")
    assert (dag.schedule, dag.catchup, dag.max_active_runs) == ("30 12 * * *", False, 1)
    assert set(dag.params) == {"from_date", "to_date"}
    assert "the last 14 nights" in (dag.doc_md or "")
