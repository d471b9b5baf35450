"""The DAG that reconciles the books of all services."""

from __future__ import annotations

from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

from tests.dags.conftest import add_service


def test_each_service_is_reconciled_every_day_for_itself(dags: Path) -> None:
    add_service(dags, "heights")
    bag = DagBag(dag_folder=str(dags / "reconcile.py"))
    assert bag.import_errors == {}
    dag = bag.dags["nightstream_reconcile"]
    assert (dag.schedule, dag.catchup) == ("50 11 * * *", False)
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "heights": set(),
        "weights": set(),
    }
