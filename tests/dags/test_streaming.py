"""The DAG of a streaming job: what it declares."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, DeltaTriggerTimetable
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from tests.dags.conftest import add_service, write
from tests.support.specs import an_environment

STEPS = ["observe", "decide", "act", "record"]
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


def test_a_round_observes_decides_acts_and_records(dag: DAG) -> None:
    order = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert order == {
        **{step: {following} for step, following in itertools.pairwise(STEPS)},
        "record": set(),
    }
    assert dag.get_task("record").trigger_rule == "none_failed", "also where nothing is to be done"


def test_rounds_follow_one_another_as_the_environment_says_and_the_past_is_left_alone(
    dag: DAG,
) -> None:
    assert dag.timetable == DeltaTriggerTimetable(timedelta(seconds=180))
    assert dag.start_date is not None
    assert dag.start_date < datetime.now(UTC)
    assert dag.max_active_runs == 1
    assert not dag.catchup


def test_nothing_is_tried_again_within_a_round_and_no_round_lasts_for_ever(dag: DAG) -> None:
    assert {task.retries for task in dag.tasks} == {0}
    assert {task.owner for task in dag.tasks} == {"data"}
    assert dag.dagrun_timeout
    for task in dag.tasks:
        assert task.execution_timeout
        assert task.execution_timeout < dag.dagrun_timeout
    launch = timedelta(seconds=an_environment().dataflow.launch_timeout_seconds)
    assert dag.get_task("act").execution_timeout > launch


def test_the_form_reconciles_unless_told_otherwise(dag: DAG) -> None:
    assert dag.params.validate() == {"action": "reconcile", "revision": None}
    action, revision = (dag.params.get_param(name) for name in ("action", "revision"))
    for value in ("suspend", "resume", "redeploy", "roll_back", "pin", "cancel"):
        assert action.resolve(value) == value
        assert f"{value}: " in action.description
    assert revision.resolve("0a1b") == "0a1b"
    for param, refused in ((action, "start"), (revision, "../v1"), (revision, "0a1")):
        with pytest.raises(ParamValidationError):
            param.resolve(refused)


def test_it_says_where_requests_come_from_where_rows_go_and_what_can_be_asked_for(
    dag: DAG,
) -> None:
    for said in (
        "The Dataflow job `heights-live-a` scores requests",
        "every 180 s a round of this DAG",
        "| Requests | `projects/nightstream-test/topics/heights`, read from the subscription "
        "`heights-scoring` |",
        "| Request id | attribute `name`, else field `id`, else the id of the message",
        "| Answers | `projects/nightstream-test/topics/heights-answers` |",
        "| Upgrade | `update`; when the alias of the model moves: `update` |",
        "| Stable | after 900 s of good health, which is at most 5.0% dead letters",
        "| `suspend` | drain the job and start none until `resume`",
        "`nightstream-test.nightstream.heights_predictions_live_unique`",
        "`publish_to_scored_ms`",
    ):
        assert said in dag.doc_md


def test_it_survives_being_stored(dag: DAG) -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))

    for name in STEPS:
        links = stored.get_task(name).operator_extra_links
        assert [link.name for link in links] == ["Dataflow job", "Ledger"]


def test_the_rounds_of_a_spec_that_was_made_invalid_say_what_to_mend(
    dags: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_service(dags, "heights", streaming=STREAMING)
    add_service(dags, "widths", streaming=STREAMING)
    spec = dags / "services" / "heights.yaml"
    spec.write_text(spec.read_text().replace("strategy: update", "strategy: replace"))

    bag = DagBag(dag_folder=str(dags))

    assert {"widths_streaming", "widths_batch", "weights_batch"} <= set(bag.dags)
    assert "heights_batch" not in bag.dags
    ((file, error),) = bag.import_errors.items()
    assert Path(file).name == "check_specs.py"
    wrong = "heights.yaml: streaming.lifecycle.upgrade.strategy"
    assert wrong in error
    assert "(found 'replace'). Remedy:" in error
    assert wrong in bag.dags["heights_streaming"].doc_md

    # A task of a round, also of one that was under way.
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "heights_streaming")
    bag = DagBag(dag_folder=str(dags / "streaming.py"))
    assert bag.import_errors == {}
    tasks = bag.dags["heights_streaming"].tasks
    assert [task.task_id for task in tasks] == STEPS
    for task in tasks:
        with pytest.raises(AirflowFailException, match=re.escape(wrong)):
            task.execute({})


def test_a_broken_spec_without_a_streaming_job_has_no_rounds(dags: Path) -> None:
    spec = dags / "services" / "weights.yaml"
    spec.write_text(spec.read_text().replace("owner: data", "owner: [data"))

    bag = DagBag(dag_folder=str(dags / "streaming.py"))

    assert (bag.dags, bag.import_errors) == ({}, {})


def test_files_that_are_no_specs_at_all_do_no_harm_to_any_service(dags: Path) -> None:
    add_service(dags, "widths", streaming=STREAMING)
    (dags / "services" / "no name.yaml").write_text("streaming: {topic: [")
    (dags / "services" / "folder.yaml").mkdir()

    bag = DagBag(dag_folder=str(dags / "streaming.py"))

    assert (set(bag.dags), bag.import_errors) == ({"widths_streaming"}, {})


def test_a_text_that_is_no_yaml_still_has_its_rounds(dags: Path) -> None:
    (dags / "services" / "heights.yaml").write_text("service: heights\nstreaming: {topic: [")

    [dag] = DagBag(dag_folder=str(dags / "streaming.py")).dags.values()

    assert dag.dag_id == "heights_streaming"
    assert "heights.yaml: not readable as YAML" in dag.doc_md


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            {"notifier": "nowhere.Notifier"},
            "airflow.alerts[1]: it cannot be imported: No module named 'nowhere' (found "
            "'nowhere.Notifier'). Remedy: correct the import path",
        ),
        (
            {"notifier": "pathlib.Path"},
            "airflow.alerts[1]: it is no notifier (found 'pathlib.Path'). Remedy: name a class",
        ),
        (
            {"notifier": "nightstream.notifiers.LogNotifier", "arguments": {"channel": "x"}},
            "unexpected keyword argument 'channel'",
        ),
    ],
)
def test_a_notifier_that_cannot_be_called_is_an_import_error_that_stops_no_dag(
    dags: Path, declared: dict[str, object], said: str
) -> None:
    add_service(dags, "heights", streaming=STREAMING)
    good = {"notifier": "nightstream.notifiers.LogNotifier"}
    environment = an_environment(airflow={"alerts": [good, declared]})
    write(dags / "environments" / "test.yaml", environment.model_dump(mode="json"))

    bag = DagBag(dag_folder=str(dags))

    assert {"heights_batch", "heights_streaming", "weights_batch"} <= set(bag.dags)
    ((file, error),) = bag.import_errors.items()
    assert Path(file).name == "check_specs.py"
    assert f"{dags}/environments/test.yaml: airflow.alerts[1]" in error
    assert said in error
