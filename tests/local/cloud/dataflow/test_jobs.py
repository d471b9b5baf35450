"""Jobs submitted by the unmodified DataflowRunner, watched through google-api-python-client."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
import requests
from googleapiclient.errors import HttpError

from tests.support.dataflow_cloud import LOCATION, DataflowCloud, Launcher, eventually
from tests.support.local_cloud import PROJECT
from tests.support.patience import PATIENCE_S


def test_a_batch_job_reads_groups_and_writes_objects(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    assert cloud.await_state(launched.id("count"), "DONE", "FAILED") == "DONE"
    assert cloud.text("count/out") == [
        "be 200",
        "is 100",
        "it 100",
        "not 100",
        "or 100",
        "that 100",
        "to 200",
    ]


def test_a_job_shows_what_it_was_created_with(cloud: DataflowCloud, launched: Launcher) -> None:
    job_id = launched.id("count")
    cloud.await_state(job_id, "DONE")
    job = cloud.job(job_id)
    assert job["labels"] == {"team": "night", "tier": "gold"}
    assert (job["type"], job["name"]) == ("JOB_TYPE_BATCH", "count")
    assert job["createTime"] <= job["startTime"] <= job["currentStateTime"]
    assert "workerPools" not in job["environment"]
    everything = cloud.jobs.get(
        projectId=PROJECT, location=LOCATION, jobId=job_id, view="JOB_VIEW_ALL"
    ).execute()
    assert everything["environment"]["sdkPipelineOptions"]["options"]["job_name"] == "count"


def test_beam_reads_the_metrics_of_a_job(cloud: DataflowCloud, launched: Launcher) -> None:
    cloud.await_state(launched.id("count"), "DONE")
    told = launched.metrics("count")
    assert told["state"] == "DONE"
    assert told["counters"] == {"CountWords/words": 900}
    assert told["distributions"] == {"CountWords/length": [900, 2100]}
    service = {"ElementCount", "ElapsedTime", "TotalVcpuTime", "CurrentVcpuCount"}
    assert service | {"latest"} <= set(told["all"])


def test_metrics_come_in_the_shape_of_the_service(cloud: DataflowCloud, launched: Launcher) -> None:
    job_id = launched.id("count")
    cloud.await_state(job_id, "DONE")
    metrics = cloud.jobs.getMetrics(projectId=PROJECT, location=LOCATION, jobId=job_id).execute()
    words = [m for m in metrics["metrics"] if m["name"]["name"] == "words"]
    assert [m["name"]["context"].get("tentative") for m in words] == [None, "true"]
    assert words[0]["name"]["context"]["namespace"] == "text"
    assert words[0]["name"]["context"]["step"].startswith("ref_AppliedPTransform_CountWords")
    latest = next(m for m in metrics["metrics"] if m["name"]["name"] == "latest")
    assert latest["gauge"]["value"] in (2, 3, 4)
    spelled = next(m for m in metrics["metrics"] if m["name"]["name"] == "spelled")
    assert spelled["set"] == ["be", "is", "it", "not", "or", "that", "to"]


def test_the_cause_of_a_failed_job_is_in_its_messages(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    job_id = launched.id("broken")
    assert cloud.await_state(job_id, "DONE", "FAILED") == "FAILED"
    errors = cloud.messages(job_id, minimumImportance="JOB_MESSAGE_ERROR")
    assert {m["messageImportance"] for m in errors} == {"JOB_MESSAGE_ERROR"}
    last = errors[-1]["messageText"]
    assert last.startswith("Workflow failed.")
    assert "Traceback" in last
    assert "ValueError: row 1 cannot be scored" in last


def test_an_exception_of_the_pipeline_is_not_retried(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    job_id = launched.id("broken")
    cloud.await_state(job_id, "FAILED")
    assert not [m for m in cloud.messages(job_id) if "Retrying" in m["messageText"]]


def test_a_second_job_of_an_active_name_is_refused_by_the_runner(launched: Launcher) -> None:
    first, second = (s for s in launched.submissions if s["name"] == "endless")
    assert first["error"] is None
    assert second["error"].startswith("DataflowJobAlreadyExistsError")
    assert first["id"] in second["error"]


def test_counters_grow_while_a_job_runs(cloud: DataflowCloud, launched: Launcher) -> None:
    job_id = launched.id("endless")
    cloud.await_state(job_id, "RUNNING")
    seen = eventually(lambda: cloud.counters(job_id).get("rows"))
    assert eventually(lambda: cloud.counters(job_id)["rows"] > seen)
    assert cloud.state(job_id) == "RUNNING"


def test_a_killed_worker_is_noticed_and_the_job_retried(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    job_id = launched.id("pair")
    cloud.await_state(job_id, "RUNNING")
    workers = eventually(lambda: (p := cloud.processes(job_id, "worker.harness"))[1:] and p)
    assert len(workers) == 2
    eventually(lambda: cloud.counters(job_id).get("rows"))
    workers[0].kill()
    assert cloud.await_state(job_id, "DONE", "FAILED") == "DONE"
    assert cloud.text("pair/out") == ["(0, 10)", "(1, 10)"]
    assert cloud.counters(job_id)["rows"] == 20
    [lost] = cloud.warnings(job_id)
    assert lost["messageText"].startswith("Attempt 1 of 4 was lost: worker process")


def test_staged_packages_and_the_main_session_reach_the_worker(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    assert cloud.await_state(launched.id("greeting"), "DONE", "FAILED") == "DONE"
    assert cloud.text("greeting/out") == ["hello Ada!?"]


def test_beams_own_image_has_nothing_of_this_repository(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    cloud.await_state(launched.id("greeting"), "DONE")
    assert cloud.text("greeting/modules") == ["beam_jobs nobody", "code_of_image nobody"]


def test_a_staged_wheel_goes_before_the_image_in_every_process(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    cloud.await_state(launched.id("pair"), "DONE")
    assert cloud.text("pair/modules") == ["beam_jobs nobody", "code_of_image the wheel"]


def test_the_console_shows_a_job_to_people(cloud: DataflowCloud, launched: Launcher) -> None:
    job_id = launched.id("count")
    cloud.await_state(job_id, "DONE")
    page = requests.get(f"{cloud.server.url}/console/jobs/{job_id}", timeout=PATIENCE_S).text
    for shown in ("count", "DONE", job_id, "team", "gold", "text / words", "900"):
        assert shown in page


def test_running_and_ended_jobs_survive_the_death_of_the_server(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    for name in ("count", "pair", "greeting"):
        cloud.await_state(launched.id(name), "DONE")
    before = cloud.processes(launched.id("endless"))
    cloud.server.kill()
    cloud.start()
    assert cloud.state(launched.id("endless")) == "RUNNING"
    assert cloud.processes(launched.id("endless")) == before
    assert cloud.state(launched.id("count")) == "DONE"
    assert cloud.state(launched.id("broken")) == "FAILED"
    assert cloud.counters(launched.id("count"))["words"] == 900


def test_cancelling_ends_every_process_of_a_job(cloud: DataflowCloud, launched: Launcher) -> None:
    job_id = launched.id("endless")
    assert len(cloud.processes(job_id)) == 2
    assert cloud.cancel(job_id)["currentState"] in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")
    cloud.await_state(job_id, "CANCELLED")
    # The last one ends once it has told the state.
    eventually(lambda: not cloud.processes(job_id))
    assert cloud.job(job_id)["currentStateTime"] > cloud.job(job_id)["startTime"]


@pytest.mark.parametrize("state", ["JOB_STATE_CANCELLED", "JOB_STATE_DRAINED", "JOB_STATE_RUNNING"])
def test_an_ended_job_cannot_be_changed(
    cloud: DataflowCloud, launched: Launcher, state: str
) -> None:
    job_id = launched.id("count")
    cloud.await_state(job_id, "DONE")
    update = cloud.jobs.update(
        projectId=PROJECT, location=LOCATION, jobId=job_id, body={"requestedState": state}
    )
    with pytest.raises(HttpError) as refused:
        update.execute()
    assert refused.value.status_code == 400
    assert cloud.state(job_id) == "DONE"


def test_messages_come_in_pages_by_importance_and_time(
    cloud: DataflowCloud, launched: Launcher
) -> None:
    job_id = launched.id("count")
    cloud.await_state(job_id, "DONE")
    everything = cloud.messages(job_id)
    assert [m["messageText"] for m in everything] == [
        "Job entered state JOB_STATE_RUNNING.",
        "Job entered state JOB_STATE_DONE.",
    ]

    paged: list[dict[str, Any]] = []
    request = cloud.jobs.messages().list(
        projectId=PROJECT, location=LOCATION, jobId=job_id, pageSize=1
    )
    while request is not None:
        answer = request.execute()
        paged += answer["jobMessages"]
        request = cloud.jobs.messages().list_next(request, answer)
    assert paged == everything

    last = everything[-1]["time"]
    assert cloud.messages(job_id, startTime=last) == everything[-1:]
    assert cloud.messages(job_id, endTime=last) == everything[:-1]
    assert cloud.messages(job_id, minimumImportance="JOB_MESSAGE_WARNING") == []


def test_a_job_whose_process_is_killed_four_times_fails(cloud: DataflowCloud) -> None:
    job_id = cloud.create("doomed")["id"]
    killed = set()
    while len(killed) < 4:
        for process in cloud.processes(job_id, "worker.job"):
            if process.pid not in killed:
                os.kill(process.pid, signal.SIGKILL)
                killed.add(process.pid)
    assert cloud.await_state(job_id, "FAILED", "DONE") == "FAILED"
    warnings = cloud.messages(job_id, minimumImportance="JOB_MESSAGE_WARNING")
    assert [m["messageImportance"] for m in warnings] == ["JOB_MESSAGE_WARNING"] * 3 + [
        "JOB_MESSAGE_ERROR"
    ]
    assert "attempted 4 times" in warnings[-1]["messageText"]
    assert "SIGKILL" in warnings[-1]["messageText"]
