"""The DAG that cleans up after all services."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from tests.dags.conftest import add_service, write
from tests.support.specs import an_environment


def cleanup(dags: Path) -> DAG:
    bag = DagBag(dag_folder=str(dags / "cleanup.py"))
    assert bag.import_errors == {}
    return bag.dags["nightstream_cleanup"]  # type: ignore[return-value]


def test_each_service_has_a_task_that_waits_for_no_other(dags: Path) -> None:
    add_service(dags, "heights")
    tasks = cleanup(dags).tasks
    assert {task.task_id: task.downstream_task_ids for task in tasks} == {
        "heights": set(),
        "weights": set(),
        "launches-of-all-services": set(),
    }


def test_it_runs_every_day_and_leaves_the_past_alone(dags: Path) -> None:
    dag = cleanup(dags)
    assert (dag.schedule, dag.catchup, dag.max_active_runs) == ("20 5 * * *", False, 1)
    assert not dag.params["dry_run"]
    for task in dag.tasks:
        assert (task.retries, task.retry_delay) == (1, timedelta(0))


def test_the_age_is_the_environment_s(dags: Path) -> None:
    environment = an_environment().model_dump(mode="json") | {"retention": {"staging_days": 7}}
    write(dags / "environments" / "test.yaml", environment)
    assert "used for 7 days" in cleanup(dags).doc_md


def test_a_broken_spec_keeps_no_other_service_from_being_cleaned(dags: Path) -> None:
    (dags / "services" / "heights.yaml").write_text("service: [")
    assert "weights" in cleanup(dags).task_ids
