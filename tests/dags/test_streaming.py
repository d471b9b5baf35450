"""The DAG of a streaming job: what it declares."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from tests.dags.conftest import add_service

STREAMING = {
    "topic": "heights",
    "subscription": "heights-scoring",
    "response_topic": "heights-answers",
    "request_id": {"attribute": "name", "field": "id"},
}


@pytest.fixture
def dag(dags: Path) -> DAG:
    add_service(dags, "heights", streaming=STREAMING)
    bag = DagBag(dag_folder=str(dags / "streaming.py"))
    assert bag.import_errors == {}
    assert set(bag.dags) == {"heights_streaming"}, "weights declares no streaming job"
    return bag.dags["heights_streaming"]  # type: ignore[return-value]


def test_one_action_is_chosen_taken_and_seen_to_its_end(dag: DAG) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "choose": {"prepare", "drain", "cancel"},
        "prepare": {"start"},
        "start": {"await_job"},
        "drain": {"await_job"},
        "cancel": {"await_job"},
        "await_job": set(),
    }


def test_it_runs_only_when_asked_and_once_at_a_time(dag: DAG) -> None:
    assert not dag.timetable.can_be_scheduled
    assert dag.max_active_runs == 1
    assert not dag.catchup


def test_the_form_starts_unless_told_otherwise(dag: DAG) -> None:
    assert dag.params.validate() == {"action": "start", "model_version": None}
    assert dag.params.get_param("action").resolve("drain") == "drain"
    for name, value in (("action", "pause"), ("model_version", "../v1")):
        with pytest.raises(ParamValidationError):
            dag.params.get_param(name).resolve(value)


def test_it_says_where_requests_come_from_and_where_rows_go(dag: DAG) -> None:
    for said in (
        "The Dataflow job `heights-live-a` scores requests",
        "| Requests | `projects/nightstream-test/topics/heights`, read from the subscription "
        "`heights-scoring` |",
        "| Request id | attribute `name`, else field `id`, else the id of the message",
        "| Answers | `projects/nightstream-test/topics/heights-answers` |",
        "`nightstream-test.nightstream.heights_predictions_live_unique`",
        "`publish_to_scored_ms`",
    ):
        assert said in dag.doc_md


def test_it_survives_being_stored(dag: DAG) -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))

    for name in ("start", "drain", "cancel", "await_job"):
        links = stored.get_task(name).operator_extra_links
        assert [link.name for link in links] == ["Dataflow job"]
    assert [link.name for link in stored.get_task("prepare").operator_extra_links] == [
        "BigQuery table"
    ]
    assert stored.get_task("await_job").trigger_rule == "none_failed_min_one_success"
