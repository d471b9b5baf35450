"""The DAG that watches live drift: what it declares."""

from __future__ import annotations

from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

from tests.dags.conftest import add_service

STREAMING = {"topic": "requests", "subscription": "requests-sub"}


def test_a_service_with_a_streaming_job_is_looked_at_every_hour(dags: Path) -> None:
    add_service(dags, "heights", streaming=STREAMING, drift={"live": {"hours": 12}})
    bag = DagBag(dag_folder=str(dags / "drift.py"))
    assert bag.import_errors == {}
    assert set(bag.dags) == {"heights_drift"}, "weights declares no streaming job"
    dag = bag.dags["heights_drift"]
    assert [task.task_id for task in dag.tasks] == ["watch_drift"]
    assert dag.timetable.expression == "5 * * * *"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert "requests of the last 12" in str(dag.doc_md)
