"""The DAG file of replays."""

from __future__ import annotations

import itertools
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

from tests.dags.conftest import add_service

NIGHT_STEPS = ["choose", "resolve", "score", "audit", "publish", "record"]


def test_every_service_has_a_replay_that_ends_as_its_nights_do(dags: Path) -> None:
    bag = DagBag(dag_folder=str(dags))
    dag = bag.dags["weights_replay"]
    assert bag.import_errors == {}
    assert dag.schedule is None
    for before, after in itertools.pairwise(NIGHT_STEPS):
        assert after in dag.get_task(before).downstream_task_ids
    assert dag.get_task("remember").upstream_task_ids == {"audit", "publish"}
    assert dag.get_task("choose").downstream_task_ids == {"resolve", "nights"}
    assert dag.params.get_param("source").schema["enum"] == ["batch"]


def test_a_service_with_a_streaming_job_can_send_requests_again(dags: Path) -> None:
    add_service(dags, "heights", streaming={"topic": "heights-in", "subscription": "heights-sub"})
    dag = DagBag(dag_folder=str(dags)).dags["heights_replay"]
    assert dag.get_task("choose").downstream_task_ids == {"resolve", "nights", "send"}
    assert dag.params.get_param("source").schema["enum"] == ["batch", "streaming"]
