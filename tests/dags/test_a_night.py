"""A whole night by Airflow itself: its scheduler's rules, its task runner, its triggers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from beam_jobs.objects import Objects, open_objects
from tests.dags.conftest import write
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.models import release
from tests.support.specs import an_environment

STEPS = ["await_input", "resolve", "score", "audit", "publish", "record"]


@pytest.fixture
def dataset(dags: Path, cloud_env: LocalCloud) -> str:
    """The environment `test` is the local cloud; answers its dataset."""
    name = f"n{uuid.uuid4().hex[:12]}"
    buckets = {kind: f"{kind}-{name}" for kind in ("input", "work", "models")}
    for bucket in buckets.values():
        cloud_env.call("POST", "/storage/v1/b", {"name": bucket})
    environment = an_environment(
        cloud_env.url, buckets=buckets, bigquery={"dataset": name}, airflow={"poll_seconds": 0.5}
    )
    write(dags / "environments" / "test.yaml", environment.model_dump(mode="json"))
    bigquery.Client(PROJECT, AnonymousCredentials()).create_dataset(name)
    return name


@pytest.fixture
def objects(dataset: str) -> Objects:
    objects = open_objects("gs://", storage.Client(PROJECT, AnonymousCredentials()))
    release(f"gs://models-{dataset}/weights", "v1", objects)
    return objects


@pytest.mark.usefixtures("airflow_database")
def test_a_night_goes_from_its_files_to_its_partition(
    dags: Path, dataset: str, objects: Objects
) -> None:
    folder = f"gs://input-{dataset}/weights/2026-01-05/"
    objects.put(folder + "a.csv", b"id,weeks\na,40\nb,30\n")
    objects.put(folder + "_SUCCESS", b"")

    # A manual run is about the interval before its logical date.
    run = night(dags, logical_date=datetime(2026, 1, 6, 7, tzinfo=UTC))

    assert states(run) == {**dict.fromkeys(STEPS, "success"), "cancel": "skipped"}
    client = bigquery.Client(PROJECT, AnonymousCredentials())
    rows = client.query_and_wait(
        f"SELECT id, weight FROM {dataset}.weights_predictions "
        "WHERE score_date = '2026-01-05' ORDER BY id"
    )
    assert [(row.id, round(row.weight, 6)) for row in rows] == [("a", 8.0), ("b", 6.0)]


@pytest.mark.usefixtures("airflow_database", "objects")
def test_a_run_that_only_cancels_scores_nothing(dags: Path) -> None:
    run = night(dags, run_conf={"cancel": True})

    assert states(run) == {
        **dict.fromkeys(STEPS, "skipped"),
        "await_input": "success",
        "cancel": "success",
    }


def night(dags: Path, **how: Any) -> Any:
    """One run of the DAG, as `airflow dags test` makes it."""
    dag = DagBag(dag_folder=str(dags)).dags["weights_batch"]
    # Airflow 3.3.1 looks the alerts of such a run up by an id that only stored DAGs have.
    dag.deadline = None
    return dag.test(**how)


def states(run: Any) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
