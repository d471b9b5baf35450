"""google-cloud-dataflow-client over REST, and `gcloud dataflow`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import dataflow_v1beta3 as dataflow

from tests.support.dataflow_cloud import BUCKET, IMAGE, LOCATION, DataflowCloud
from tests.support.flex_templates import BROKEN, SPEC, Templates
from tests.support.gcloud import gcloud_dataflow
from tests.support.local_cloud import PROJECT

PLACE = {"project_id": PROJECT, "location": LOCATION}
State = dataflow.JobState


@pytest.fixture(scope="module")
def options(cloud: DataflowCloud) -> dict[str, object]:
    """What points any of the clients here; a scheme other than https has to be said."""
    return {
        "transport": "rest",
        "credentials": AnonymousCredentials(),
        "client_options": {"api_endpoint": cloud.server.url},
    }


@pytest.fixture(scope="module")
def jobs(options: dict[str, object]) -> dataflow.JobsV1Beta3Client:
    return dataflow.JobsV1Beta3Client(**options)


@pytest.fixture
def job(jobs: dataflow.JobsV1Beta3Client, cloud: DataflowCloud) -> Iterator[dataflow.Job]:
    """A new job, created by this client, that stays PENDING."""
    environment = {
        "sdk_pipeline_options": {"options": {"pipelineUrl": f"gs://{BUCKET}/stuck/pipeline.pb"}}
    }
    wanted = dataflow.Job(
        name="by-client", type_="JOB_TYPE_STREAMING", environment=environment, labels={"a": "b"}
    )
    created = jobs.create_job(dataflow.CreateJobRequest(**PLACE, job=wanted))
    yield created
    if cloud.state(created.id) not in ("CANCELLING", "CANCELLED", "DRAINING", "DRAINED"):
        cloud.cancel(created.id)
    cloud.await_state(created.id, "CANCELLED", "DRAINED")


def request(jobs: dataflow.JobsV1Beta3Client, job_id: str, state: State) -> dataflow.Job:
    asked = dataflow.Job(requested_state=state)
    return jobs.update_job(dataflow.UpdateJobRequest(**PLACE, job_id=job_id, job=asked))


def test_the_client_creates_and_gets_a_job(
    jobs: dataflow.JobsV1Beta3Client, job: dataflow.Job
) -> None:
    found = jobs.get_job(
        dataflow.GetJobRequest(**PLACE, job_id=job.id, view=dataflow.JobView.JOB_VIEW_ALL)
    )
    assert (found.name, found.location, dict(found.labels)) == ("by-client", LOCATION, {"a": "b"})
    assert found.type_ == dataflow.JobType.JOB_TYPE_STREAMING
    assert found.current_state == State.JOB_STATE_PENDING
    assert found.create_time == job.create_time
    assert "pipelineUrl" in found.environment.sdk_pipeline_options["options"]


def test_the_client_lists_jobs_in_pages(
    jobs: dataflow.JobsV1Beta3Client, job: dataflow.Job
) -> None:
    asked = dataflow.ListJobsRequest(**PLACE, page_size=1, filter="ACTIVE")
    assert job.id in [listed.id for listed in jobs.list_jobs(asked)]
    everywhere = dataflow.ListJobsRequest(project_id=PROJECT)
    assert job.id in [listed.id for listed in jobs.aggregated_list_jobs(everywhere)]


def test_the_client_drains_a_job_once(jobs: dataflow.JobsV1Beta3Client, job: dataflow.Job) -> None:
    draining = request(jobs, job.id, State.JOB_STATE_DRAINED)
    assert draining.current_state in (State.JOB_STATE_DRAINING, State.JOB_STATE_DRAINED)


def test_the_client_reads_metrics(options: dict[str, object], job: dataflow.Job) -> None:
    asked = dataflow.GetJobMetricsRequest(**PLACE, job_id=job.id)
    metrics = dataflow.MetricsV1Beta3Client(**options).get_job_metrics(asked)
    assert metrics.metric_time >= job.create_time


def test_an_unknown_job_is_told_apart_from_a_bad_request(
    jobs: dataflow.JobsV1Beta3Client, job: dataflow.Job
) -> None:
    with pytest.raises(NotFound, match="could not be found"):
        jobs.get_job(dataflow.GetJobRequest(**PLACE, job_id="2026-01-01-nothing"))
    with pytest.raises(BadRequest, match="JOB_STATE_RUNNING cannot be requested"):
        request(jobs, job.id, State.JOB_STATE_RUNNING)


@pytest.mark.parametrize("state", ["JOB_STATE_CANCELLED", "JOB_STATE_DRAINED"])
def test_a_job_that_has_ended_is_neither_cancelled_nor_drained(
    jobs: dataflow.JobsV1Beta3Client, job: dataflow.Job, cloud: DataflowCloud, state: str
) -> None:
    request(jobs, job.id, State.JOB_STATE_CANCELLED)
    cloud.await_state(job.id, "CANCELLED")
    with pytest.raises(BadRequest, match="already terminated in state CANCELLED") as refused:
        request(jobs, job.id, State[state])
    assert refused.value.response.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_the_client_launches_a_template_and_reads_why_it_failed(
    options: dict[str, object], cloud: DataflowCloud
) -> None:
    spec = Templates(cloud).keep("broken.json", BROKEN)
    launched = dataflow.FlexTemplatesServiceClient(**options).launch_flex_template(
        dataflow.LaunchFlexTemplateRequest(
            **PLACE,
            launch_parameter=dataflow.LaunchFlexTemplateParameter(
                job_name="launched-by-client",
                container_spec_gcs_path=spec,
                parameters={"kind": "forgetful"},
                environment=dataflow.FlexTemplateRuntimeEnvironment(
                    num_workers=2, ip_configuration="WORKER_IP_PRIVATE"
                ),
            ),
        )
    )
    assert launched.job.current_state == State.JOB_STATE_QUEUED
    assert cloud.await_state(launched.job.id, "FAILED") == "FAILED"
    [error] = dataflow.MessagesV1Beta3Client(**options).list_job_messages(
        dataflow.ListJobMessagesRequest(
            **PLACE,
            job_id=launched.job.id,
            minimum_importance=dataflow.JobMessageImportance.JOB_MESSAGE_ERROR,
        )
    )
    assert error.message_text.startswith("Template launch failed.")


def test_gcloud_lists_describes_and_cancels(cloud: DataflowCloud) -> None:
    job_id = cloud.create("by-hand")["id"]
    assert job_id in gcloud_dataflow(cloud, "jobs", "list", "--status=active")
    told = gcloud_dataflow(cloud, "jobs", "describe", job_id)
    assert "currentState: JOB_STATE_PENDING" in told
    gcloud_dataflow(cloud, "jobs", "cancel", job_id)
    cloud.await_state(job_id, "CANCELLED")


def test_gcloud_builds_a_container_spec_and_runs_it(cloud: DataflowCloud, tmp_path: Path) -> None:
    templates = Templates(cloud)
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({**SPEC["metadata"], **BROKEN["metadata"]}))
    path = f"gs://{BUCKET}/templates/built.json"
    gcloud_dataflow(
        cloud,
        *("flex-template", "build", path, f"--image={IMAGE}", "--sdk-language=PYTHON"),
        *(f"--metadata-file={metadata}", f"--temp-location=gs://{BUCKET}/temp"),
        region=False,
    )
    ran = gcloud_dataflow(
        cloud,
        *("flex-template", "run", "run-by-hand", f"--template-file-gcs-location={path}"),
        f"--parameters=kind=failing,source=gs://{BUCKET}/in,target=gs://{BUCKET}/out",
        *("--num-workers=2", "--additional-user-labels=team=night", "--format=value(job.id)"),
    )
    assert "ValueError: there is no such model" in templates.failure(ran.strip())
    assert cloud.job(ran.strip())["labels"] == {"team": "night"}
