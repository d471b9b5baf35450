"""The google provider's and Beam's operators and sensors for Dataflow, as their example DAGs do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.providers.apache.beam.operators.beam import BeamRunPythonPipelineOperator
from airflow.providers.common.compat.sdk import AirflowException
from airflow.providers.google.cloud.hooks.dataflow import DataflowHook
from airflow.providers.google.cloud.operators.dataflow import (
    DataflowStartFlexTemplateOperator,
    DataflowStopJobOperator,
    DataflowTemplatedJobStartOperator,
)
from airflow.providers.google.cloud.sensors.dataflow import (
    DataflowJobAutoScalingEventsSensor,
    DataflowJobMessagesSensor,
    DataflowJobMetricsSensor,
    DataflowJobStatusSensor,
)
from googleapiclient.errors import HttpError

from tests.support.airflow_tasks import TaskRun, point_hooks_at, run
from tests.support.dataflow_cloud import BUCKET, LAUNCHER, LOCATION, DataflowCloud
from tests.support.flex_templates import BROKEN, PARAMETERS, Templates
from tests.support.local_cloud import PROJECT
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.pubsub_wire import Wire

WHERE = {"task_id": "t", "project_id": PROJECT, "location": LOCATION}


@pytest.fixture(scope="module")
def served(pubsub: PubsubEmulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    folder = tmp_path_factory.mktemp("operators")
    cloud = DataflowCloud.with_image(folder / "cloud", "--pubsub", pubsub.host)
    cloud.storage.create_bucket(BUCKET)
    yield Templates(cloud)
    cloud.server.end()


@pytest.fixture
def templates(served: Templates, monkeypatch: pytest.MonkeyPatch) -> Templates:
    """A template in a local cloud, at which the hooks are pointed."""
    served.cloud.server.point_clients_here(monkeypatch)
    point_hooks_at(served.cloud.server.url, monkeypatch)
    return served


def awaiting(job_id: str, **how: Any) -> dict[str, Any]:
    return {**WHERE, "job_id": job_id, "poke_interval": 0.2, "timeout": 60, **how}


def flex(body: dict[str, Any], **how: Any) -> DataflowStartFlexTemplateOperator:
    return DataflowStartFlexTemplateOperator(
        **WHERE, body={"launchParameter": body}, poll_sleep=1, **how
    )


def test_a_beam_pipeline_is_run_and_told_of_by_sensors(templates: Templates) -> None:
    start = BeamRunPythonPipelineOperator(
        task_id="t",
        runner="DataflowRunner",
        py_file=str(LAUNCHER.with_name("word_template.py")),
        py_interpreter=sys.executable,
        pipeline_options={
            "dataflow_endpoint": templates.cloud.server.url,
            "temp_location": f"gs://{BUCKET}/temp",
            "no_auth": True,
            "labels": {"team": "night"},
            **PARAMETERS,
        },
        dataflow_config={
            "job_name": "beam-words",
            "project_id": PROJECT,
            "location": LOCATION,
            "wait_until_finished": False,
        },
    )
    task = TaskRun(start)
    job_id = task.finish()["dataflow_job_id"]
    assert task.xcoms["dataflow_job_id"] == job_id
    run(DataflowJobStatusSensor(**awaiting(job_id), expected_statuses={"JOB_STATE_DONE"}))
    job = DataflowHook().get_job(job_id=job_id, project_id=PROJECT, location=LOCATION)
    assert job["name"].startswith("beam-words-")
    assert job["labels"]["team"] == "night"
    assert templates.cloud.text("out/template") == ["6"]

    told: dict[str, list[Any]] = {}

    def keep(kind: str, seen: list[Any]) -> bool:
        told[kind] = seen
        return True

    sensed = awaiting(job_id, fail_on_terminal_state=False)
    run(DataflowJobMetricsSensor(**sensed, callback=lambda seen: keep("metrics", seen)))
    run(DataflowJobMessagesSensor(**sensed, callback=lambda seen: keep("messages", seen)))
    run(DataflowJobAutoScalingEventsSensor(**sensed, callback=lambda seen: keep("events", seen)))
    assert {"ElementCount", "TotalVcpuTime"} <= {m["name"]["name"] for m in told["metrics"]}
    assert "JOB_STATE_DONE" in told["messages"][-1]["messageText"]
    assert told["events"] == []
    with pytest.raises(AirflowException, match="already in terminal state: JOB_STATE_DONE"):
        run(DataflowJobStatusSensor(**awaiting(job_id), expected_statuses={"JOB_STATE_DRAINED"}))


def test_a_streaming_template_is_started_and_drained(
    templates: Templates, pubsub: PubsubEmulator
) -> None:
    wire = Wire(pubsub)
    parameters = {
        "kind": "answering",
        "source": wire.requests.subscription,
        "target": wire.answers.topic,
    }
    body = {
        "jobName": "answers",
        "containerSpecGcsPath": templates.path,
        "parameters": parameters,
        "environment": {"additionalPipelineOptions": ["streaming"]},
    }
    task = TaskRun(flex(body))
    job = task.finish()
    assert job["currentState"] in ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING")
    assert task.xcoms["job_id"] == job["id"]
    run(DataflowJobStatusSensor(**awaiting(job["id"]), expected_statuses={"JOB_STATE_RUNNING"}))
    wire.send(b"hello")
    assert wire.words(1) == [b"answered hello"]
    run(DataflowStopJobOperator(**WHERE, job_id=job["id"], poll_sleep=1))
    assert templates.cloud.state(job["id"]) == "DRAINED"


def test_a_template_that_fails_fails_its_task(templates: Templates) -> None:
    path = templates.keep("broken.json", BROKEN)
    body = {"jobName": "failing", "containerSpecGcsPath": path, "parameters": {"kind": "failing"}}
    with pytest.raises(AirflowException, match="JOB_STATE_FAILED"):
        run(flex(body, wait_until_finished=True))


def test_active_jobs_are_stopped_by_the_beginning_of_their_name(templates: Templates) -> None:
    stuck = [templates.cloud.create(name)["id"] for name in ("night-a", "night-b", "other")]
    stop = DataflowStopJobOperator(
        **WHERE, job_name_prefix="night-", drain_pipeline=False, poll_sleep=1
    )
    run(stop)
    states = [templates.cloud.state(job_id) for job_id in stuck]
    assert states == ["CANCELLED", "CANCELLED", "PENDING"]
    run(stop)


@pytest.mark.usefixtures("templates")
def test_data_pipelines_are_refused_by_name() -> None:
    body = {"name": "nightly", "type": "PIPELINE_TYPE_BATCH"}
    with pytest.raises(HttpError, match="datapipelines") as refused:
        DataflowHook().create_data_pipeline(body=body, project_id=PROJECT, location=LOCATION)
    assert refused.value.status_code == 501


def test_classic_templates_are_refused_by_name(templates: Templates) -> None:
    classic = DataflowTemplatedJobStartOperator(**WHERE, template=templates.path, job_name="x")
    with pytest.raises(HttpError, match="templates") as refused:
        run(classic)
    assert refused.value.status_code == 501
