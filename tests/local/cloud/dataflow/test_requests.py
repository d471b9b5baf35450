"""The API by plain REST: names, labels, images, lists, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from googleapiclient.errors import HttpError

from tests.support.dataflow_cloud import IMAGE, LOCATION, DataflowCloud, eventually
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.patience import PATIENCE_S


def refusal(cloud: DataflowCloud, name: str = "refused", **fields: Any) -> HttpError:
    with pytest.raises(HttpError) as refused:
        cloud.create(name, **fields)
    return refused.value


def pools(image: str) -> dict[str, Any]:
    options = {"pipelineUrl": "gs://nightly/stuck/pipeline.pb"}
    return {
        "sdkPipelineOptions": {"options": options},
        "workerPools": [{"sdkHarnessContainerImages": [{"containerImage": image}]}],
    }


def test_an_unknown_image_is_refused_with_the_remedy(cloud: DataflowCloud) -> None:
    error = refusal(cloud, environment=pools("registry.example/unknown:7"))
    assert error.status_code == 400
    assert "'registry.example/unknown:7'" in error.reason
    assert "--image registry.example/unknown:7=PYTHON" in error.reason


@pytest.mark.parametrize("image", [IMAGE, "apache/beam_python3.11_sdk:2.77.0"])
def test_a_known_image_is_accepted(cloud: DataflowCloud, image: str) -> None:
    job = cloud.create("image", environment=pools(image))
    assert job["currentState"] == "JOB_STATE_PENDING"
    cloud.cancel(job["id"])
    cloud.await_state(job["id"], "CANCELLED")


@pytest.mark.parametrize("name", ["Upper", "1st", "under_score", "end-", ""])
def test_a_bad_name_is_refused(cloud: DataflowCloud, name: str) -> None:
    assert refusal(cloud, name).status_code == 400


@pytest.mark.parametrize(
    "labels", [{"key": "a" * 64}, {"a" * 64: "v"}, {"Key": "v"}, {"key": "V"}, {"1": "v"}]
)
def test_a_bad_label_is_refused(cloud: DataflowCloud, labels: dict[str, str]) -> None:
    assert refusal(cloud, labels=labels).status_code == 400


@pytest.mark.parametrize(
    ("fields", "feature"),
    [
        ({"createdFromSnapshotId": "an-id"}, "snapshots"),
        ({"environment": {}}, "pipelineUrl"),
    ],
)
def test_what_is_missing_is_refused_by_name(
    cloud: DataflowCloud, fields: dict[str, Any], feature: str
) -> None:
    error = refusal(cloud, **fields)
    assert error.status_code == 501
    assert feature in error.reason


def call(collection: Any, method: str, **arguments: Any) -> Any:
    """Calls a method by its path below projects.locations, e.g. `jobs.snapshot`."""
    *path, name = method.split(".")
    for part in path:
        collection = getattr(collection, part)()
    return getattr(collection, name)(projectId=PROJECT, location=LOCATION, **arguments).execute()


@pytest.mark.parametrize(
    ("method", "arguments", "feature"),
    [
        ("jobs.workItems.lease", {"jobId": "a-job", "body": {}}, "workItems"),
        ("jobs.workItems.reportStatus", {"jobId": "a-job", "body": {}}, "workItems"),
        ("workerMessages", {"body": {}}, "workerMessages"),
        ("jobs.debug.getConfig", {"jobId": "a-job", "body": {}}, "debug"),
        ("jobs.debug.sendCapture", {"jobId": "a-job", "body": {}}, "debug"),
        ("jobs.snapshot", {"jobId": "a-job", "body": {}}, "snapshots"),
        ("jobs.snapshots.list", {"jobId": "a-job"}, "snapshots"),
        ("snapshots.list", {}, "snapshots"),
        ("snapshots.get", {"snapshotId": "one"}, "snapshots"),
        ("snapshots.delete", {"snapshotId": "one"}, "snapshots"),
        ("jobs.getExecutionDetails", {"jobId": "a-job"}, "getExecutionDetails"),
        (
            "jobs.stages.getExecutionDetails",
            {"jobId": "a-job", "stageId": "one"},
            "getExecutionDetails",
        ),
        ("templates.create", {"body": {}}, "classic Dataflow templates"),
        ("templates.get", {}, "classic Dataflow templates"),
        ("templates.launch", {"body": {}}, "classic Dataflow templates"),
        ("jobs.list", {"createTimeRange_startTime": "2026-01-01T00:00:00Z"}, "createTimeRange"),
        (
            "jobs.list",
            {"terminationTimeRange_endTime": "2026-01-01T00:00:00Z"},
            "terminationTimeRange",
        ),
    ],
)
def test_methods_that_are_missing_are_refused_by_name(
    cloud: DataflowCloud, method: str, arguments: dict[str, Any], feature: str
) -> None:
    with pytest.raises(HttpError) as refused:
        call(cloud.service.projects().locations(), method, **arguments)
    assert refused.value.status_code == 501
    assert feature in refused.value.reason


def test_a_method_that_google_does_not_describe_is_refused_too(cloud: DataflowCloud) -> None:
    url = f"{cloud.server.url}/v1b3/projects/{PROJECT}/locations/{LOCATION}/sql:validate"
    answer = requests.get(url, params={"query": "SELECT 1"}, timeout=PATIENCE_S)
    assert answer.status_code == 501
    assert "sql:validate" in answer.json()["error"]["message"]


@pytest.mark.parametrize("location", ["us-central1-a", "nowhere", "US-CENTRAL1"])
def test_a_location_that_is_no_region_is_refused(cloud: DataflowCloud, location: str) -> None:
    with pytest.raises(HttpError) as refused:
        cloud.jobs.list(projectId=PROJECT, location=location).execute()
    assert refused.value.status_code == 400
    assert repr(location) in refused.value.reason


def test_an_unknown_job_is_not_found(cloud: DataflowCloud) -> None:
    with pytest.raises(HttpError) as missing:
        cloud.job("2020-01-01_00_00_00-1")
    assert missing.value.status_code == 404
    error = json.loads(missing.value.content)["error"]
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert "2020-01-01_00_00_00-1 could not be found" in error["message"]


def test_one_request_id_makes_one_job_and_one_active_name_too(cloud: DataflowCloud) -> None:
    first = cloud.create("twin", clientRequestId="one", labels={"run": "1"})
    assert cloud.create("twin", clientRequestId="one")["id"] == first["id"]
    other = cloud.create("twin", clientRequestId="two")
    assert (other["id"], other["clientRequestId"]) == (first["id"], "one")
    cloud.cancel(first["id"])
    cloud.await_state(first["id"], "CANCELLED")
    assert cloud.create("twin", clientRequestId="one")["id"] == first["id"]
    second = cloud.create("twin", clientRequestId="two")
    assert second["id"] != first["id"]
    cloud.cancel(second["id"])
    cloud.await_state(second["id"], "CANCELLED")


def test_a_batch_job_cannot_be_drained(cloud: DataflowCloud) -> None:
    job_id = cloud.create("undrained")["id"]
    body = {"requestedState": "JOB_STATE_DRAINED"}
    with pytest.raises(HttpError) as refused:
        cloud.jobs.update(projectId=PROJECT, location=LOCATION, jobId=job_id, body=body).execute()
    assert refused.value.status_code == 400
    assert "drain" in refused.value.reason
    cloud.cancel(job_id)
    cloud.await_state(job_id, "CANCELLED")


def test_jobs_are_listed_by_name_and_state_in_pages(cloud: DataflowCloud) -> None:
    project = "listed"

    def listed(**query: Any) -> list[str]:
        names: list[str] = []
        request = cloud.jobs.list(projectId=project, location=LOCATION, **query)
        while request is not None:
            answer = request.execute()
            names += [job["name"] for job in answer.get("jobs", [])]
            request = cloud.jobs.list_next(request, answer)
        return names

    ids = {
        name: cloud.create(name, project, labels={"a": "b"})["id"]
        for name in ("score", "score-v2", "old")
    }
    update = {"requestedState": 5}
    cloud.jobs.update(projectId=project, location=LOCATION, jobId=ids["old"], body=update).execute()
    eventually(lambda: listed(filter="TERMINATED") == ["old"])

    assert listed() == ["old", "score-v2", "score"]
    assert listed(pageSize=1) == ["old", "score-v2", "score"]
    assert listed(filter="ACTIVE") == ["score-v2", "score"]
    assert listed(filter="ALL", name="score") == ["score"]
    assert listed(name="scor") == []
    [summary] = cloud.jobs.list(projectId=project, location=LOCATION, name="score").execute()[
        "jobs"
    ]
    assert "labels" not in summary
    assert "environment" not in summary
    elsewhere = cloud.jobs.list(projectId=project, location="europe-west1").execute()
    assert elsewhere["jobs"] == []
    aggregated = requests.get(
        f"{cloud.server.url}/v1b3/projects/{project}/jobs:aggregated", timeout=PATIENCE_S
    )
    assert [job["id"] for job in aggregated.json()["jobs"]][-1] == ids["score"]


def test_a_page_of_jobs_is_not_moved_by_new_jobs_or_ended_ones(cloud: DataflowCloud) -> None:
    project = "paged"

    def page(**query: Any) -> tuple[list[str], str | None]:
        answer = cloud.jobs.list(
            projectId=project, location=LOCATION, filter="ACTIVE", pageSize=2, **query
        ).execute()
        return [job["name"] for job in answer["jobs"]], answer.get("nextPageToken")

    ids = {name: cloud.create(name, project)["id"] for name in ("a", "b", "c", "d", "e")}
    first, token = page()
    cloud.create("f", project)
    update = {"requestedState": "JOB_STATE_CANCELLED"}
    for name in ("d", "e"):
        cloud.jobs.update(
            projectId=project, location=LOCATION, jobId=ids[name], body=update
        ).execute()
    eventually(lambda: page()[0] == ["f", "c"])
    second, more = page(pageToken=token)
    third, none = page(pageToken=more)
    assert (first, second, third, none) == (["e", "d"], ["c", "b"], ["a"], None)
    with pytest.raises(HttpError) as refused:
        page(pageToken="2")
    assert refused.value.status_code == 400


def test_stopping_leaves_no_job_behind(cloud: DataflowCloud) -> None:
    ids = [cloud.create(name)["id"] for name in ("left-one", "left-two")]
    stop = [sys.executable, "-m", "local.cloud.dataflow.stop", "--data", str(cloud.server.data)]
    said = subprocess.run(stop, check=True, capture_output=True, text=True).stdout
    assert int(said.split()[0]) >= 2
    assert [cloud.state(job_id) for job_id in ids] == ["CANCELLED"] * 2
    assert [cloud.processes(job_id) for job_id in ids] == [[], []]


def test_a_job_without_its_supervisor_ends_and_is_never_shown_running(cloud: DataflowCloud) -> None:
    job_id = cloud.create("orphan")["id"]
    [supervisor] = cloud.processes(job_id, "dataflow.supervisor")
    eventually(lambda: cloud.processes(job_id, "worker.job"))
    supervisor.kill()
    cloud.await_state(job_id, "FAILED")
    eventually(lambda: not cloud.processes(job_id))
    [error] = cloud.messages(job_id)
    assert "supervisor" in error["messageText"]


def test_a_streaming_job_that_waits_for_its_worker_can_be_drained_or_cancelled(
    cloud: DataflowCloud,
) -> None:
    for end, state in ((cloud.drain, "DRAINED"), (cloud.cancel, "CANCELLED")):
        job = cloud.create("waiting", type="JOB_TYPE_STREAMING")
        assert (job["type"], job["currentState"]) == ("JOB_TYPE_STREAMING", "JOB_STATE_PENDING")
        end(job["id"])
        assert cloud.await_state(job["id"], "DRAINED", "CANCELLED", "FAILED") == state


def test_the_update_of_a_job_that_is_not_there_is_refused(cloud: DataflowCloud) -> None:
    error = refusal(cloud, type="JOB_TYPE_STREAMING", replaceJobId="2026-01-01-nothing")
    assert error.status_code == 404
    assert "2026-01-01-nothing" in error.reason


def test_the_update_of_a_job_that_does_not_run_is_refused(cloud: DataflowCloud) -> None:
    old = cloud.create("updated", type="JOB_TYPE_STREAMING")
    error = refusal(cloud, "updated", type="JOB_TYPE_STREAMING", replaceJobId=old["id"])
    assert error.status_code == 400
    assert "not running (it is PENDING)" in error.reason
    cloud.cancel(old["id"])
    cloud.await_state(old["id"], "CANCELLED")


def test_an_active_name_is_refused_where_the_server_is_told_to(tmp_path: Path) -> None:
    cloud = DataflowCloud(LocalCloud(tmp_path / "cloud", ["--refuse-active-job-name"]))
    cloud.start()
    try:
        first = cloud.create("twin", clientRequestId="one")
        assert cloud.create("twin", clientRequestId="one")["id"] == first["id"]
        with pytest.raises(HttpError) as refused:
            cloud.create("twin", clientRequestId="two")
        assert refused.value.status_code == 409
        assert first["id"] in refused.value.reason
    finally:
        cloud.server.end()
