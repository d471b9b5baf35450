"""The DAG files: what they declare, what they import, what a broken spec does."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, CronDataIntervalTimetable
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from airflow.ti_deps.deps.ready_to_reschedule import ReadyToRescheduleDep

from tests.dags.conftest import add_service, write
from tests.support.specs import an_environment

STEPS = ["await_input", "resolve", "score", "audit", "publish", "record"]
HEAVY = {"apache_beam", "pandas", "sklearn", "numpy", "pyarrow", "grpc", "googleapiclient"}
HEAVY_GOOGLE = (
    "google.cloud.",
    "google.auth",
    "google.api_core",
    "airflow.providers.google.common",
    "airflow.providers.google.cloud",
)


def parse(folder: Path) -> DagBag:
    return DagBag(dag_folder=str(folder))


def weights(folder: Path) -> DAG:
    return parse(folder).dags["weights_batch"]  # type: ignore[return-value]


def nightly(bag: DagBag) -> set[str]:
    return {name for name in bag.dags if name.endswith("_batch")}


def test_every_service_has_a_dag_of_its_own(dags: Path) -> None:
    add_service(dags, "heights")

    bag = parse(dags)

    assert nightly(bag) == {"heights_batch", "weights_batch"}
    assert bag.import_errors == {}


def test_a_night_has_six_steps_and_may_be_cancelled_instead(dags: Path) -> None:
    dag = weights(dags)

    order = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    chain = dict(itertools.pairwise(STEPS))
    assert order == {
        **{step: {following} for step, following in chain.items()},
        "await_input": {"resolve", "cancel"},
        "audit": {"publish", "record"},
        "record": set(),
        "cancel": set(),
    }


def test_the_schedule_has_data_intervals_and_leaves_the_past_alone(dags: Path) -> None:
    dag = weights(dags)

    assert dag.timetable == CronDataIntervalTimetable("0 2 * * *", timezone="America/New_York")
    assert dag.start_date == datetime(2026, 1, 1, 5, tzinfo=UTC)
    assert not dag.catchup
    assert dag.max_active_runs == 4


def test_tasks_are_retried_as_spec_and_environment_say(dags: Path) -> None:
    for task in weights(dags).tasks:
        assert (task.retries, task.retry_delay) == (2, timedelta(0))
        assert task.owner == "data"


def test_the_dag_says_what_it_does(dags: Path) -> None:
    dag = weights(dags)

    assert dag.tags == {"nightstream", "batch", "data"}
    assert "`_SUCCESS` lies beside the files" in dag.doc_md
    assert "| `weeks` | float | yes |" in dag.doc_md


def test_a_broken_spec_is_an_import_error_that_harms_no_other_service(dags: Path) -> None:
    spec = dags / "services" / "heights.yaml"
    add_service(dags, "heights")
    spec.write_text(spec.read_text().replace("cron: 0 2 * * *", "cron: '*/5 * * * *'"))
    (dags / "services" / "widths.yaml").write_text("service: [")

    bag = parse(dags)

    assert nightly(bag) == {"weights_batch"}
    ((file, error),) = bag.import_errors.items()
    assert Path(file).name == "check_specs.py"
    assert "no DAG for: heights, widths" in error
    assert "heights.yaml: schedule.cron: '*/5 * * * *' may fire more than once a day" in error
    assert "Remedy: write one minute" in error
    assert "widths.yaml: not readable as YAML" in error


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            None,
            "NIGHTSTREAM_ENV is not set. Remedy: set it, for Airflow's processes too",
        ),
        ("moon", "there is no such environment (found 'moon'). Remedy: set NIGHTSTREAM_ENV"),
    ],
)
def test_a_missing_environment_is_an_import_error_with_its_remedy(
    dags: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, message: str
) -> None:
    if name is None:
        monkeypatch.delenv("NIGHTSTREAM_ENV")
    else:
        monkeypatch.setenv("NIGHTSTREAM_ENV", name)

    errors = parse(dags).import_errors

    files = {path.name for path in dags.glob("*.py")}
    assert {Path(file).name for file in errors} == files
    assert all(message in error for error in errors.values())


def test_a_task_that_is_about_to_run_builds_its_own_dag_only(
    dags: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_service(dags, "heights")
    (dags / "services" / "broken.yaml").write_text("service: [")

    # As Airflow sets it in the process of a task.
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "weights_batch")

    assert set(parse(dags / "nightly_batch.py").dags) == {"weights_batch"}


def test_parsing_imports_nothing_heavy(dags: Path) -> None:
    add_service(dags, "heights", streaming={"topic": "heights", "subscription": "scoring"})
    script = (
        "import json, runpy, sys\n"
        "for file in ('nightly_batch', 'streaming', 'check_specs'):\n"
        f"    runpy.run_path(f'{dags}/{{file}}.py')\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], env=os.environ, capture_output=True, text=True, check=True
    )

    loaded = json.loads(answer.stdout.splitlines()[-1])
    assert {"nightstream.operators.score", "nightstream.streaming_dag"} <= set(loaded)
    assert not HEAVY & {module.partition(".")[0] for module in loaded}
    assert not [module for module in loaded if module.startswith(HEAVY_GOOGLE)]


def test_the_dag_survives_being_stored(dags: Path) -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(weights(dags)))

    assert stored.dag_id == "weights_batch"
    assert [link.name for link in stored.get_task("score").operator_extra_links] == ["Dataflow job"]
    assert stored.deadline


@pytest.mark.parametrize("deferrable", [True, False])
def test_waiting_tasks_reschedule_themselves_only_where_they_cannot_defer(
    dags: Path, deferrable: bool
) -> None:
    environment = an_environment(airflow={"deferrable": deferrable})
    write(dags / "environments" / "test.yaml", environment.model_dump(mode="json"))

    stored = DagSerialization.from_dict(DagSerialization.to_dict(weights(dags)))

    for name in ("await_input", "score", "cancel"):
        task = stored.get_task(name)
        assert task.reschedule is not deferrable
        assert ReadyToRescheduleDep() in task.deps
    assert stored.get_task("publish").reschedule


def test_the_form_has_a_default_for_everything(dags: Path) -> None:
    dag = weights(dags)

    assert dag.params.validate() == {
        "score_date": None,
        "source": None,
        "model_version": None,
        "force": False,
        "dead_letter_limit": None,
        "allow_drift": False,
        "allow_drift_reason": None,
        "dry_run": False,
        "cancel": False,
    }
    for param in (dag.params.get_param(name) for name in dag.params):
        assert param.description
        assert {"title", "section"} <= param.schema.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("score_date", "2026-01-05"),
        ("source", "gs://input/resent/"),
        ("model_version", "v1.2"),
        ("dead_letter_limit", 1),
        ("force", True),
    ],
)
def test_the_form_takes(dags: Path, name: str, value: Any) -> None:
    assert weights(dags).params.get_param(name).resolve(value) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("score_date", "yesterday"),
        ("score_date", "2026-02-30"),
        ("source", "s3://input/resent/"),
        ("source", "gs://input"),
        ("model_version", "../v1"),
        ("dead_letter_limit", 1.5),
        ("dead_letter_limit", "5%"),
        ("dry_run", "yes"),
    ],
)
def test_the_form_refuses(dags: Path, name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        weights(dags).params.get_param(name).resolve(value)
