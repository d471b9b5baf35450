"""What Cloud Monitoring tells of Dataflow jobs, from their start to after their end."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import Status
from local.cloud.monitoring.jobs import STALE_SECONDS, JobView, job_readings
from local.cloud.monitoring.times import moment, rfc3339
from tests.support.dataflow_cloud import LOCATION, DataflowCloud, eventually
from tests.support.local_cloud import PROJECT
from tests.support.monitoring import JOB, Monitoring, value
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.streaming_jobs import StreamingJobs


@pytest.fixture(scope="module")
def streaming(
    tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator
) -> Iterator[StreamingJobs]:
    folder = tmp_path_factory.mktemp("monitored")
    options = ("--pubsub", pubsub.host, "--monitoring-interval=0.5", "--monitoring-delay=0")
    cloud = DataflowCloud.with_image(folder, *options)
    cloud.storage.create_bucket("nightly")
    yield StreamingJobs(cloud, pubsub, folder / "launcher.log", ["answer"])
    cloud.server.end()


def test_a_running_job_tells_its_lag_its_counts_and_its_state(streaming: StreamingJobs) -> None:
    monitoring = Monitoring(streaming.cloud.server)
    wire = streaming.running("answer")
    wire.send(*(b"%03d" % number for number in range(40)))
    assert len(wire.hear(40)) == 40
    seen = ('metric.labels.metric_name = "seen"', 'resource.labels.job_name = "answer"')
    eventually(lambda: 40 in monitoring.values(JOB + "user_counter", *seen))
    (counter,) = monitoring.lately(JOB + "user_counter", *seen)
    assert counter["metric"]["labels"]["job_id"] == streaming.jobs["answer"]
    assert "Answer" in counter["metric"]["labels"]["ptransform"]
    assert counter["resource"]["labels"] == {
        "project_id": PROJECT,
        "job_name": "answer",
        "region": LOCATION,
    }
    assert 3 in monitoring.values(JOB + "user_counter", 'metric.labels.metric_name = "size_MAX"')
    read = 'metric.labels.pcollection = starts_with("ReadFromPubSub")'
    assert 40 in monitoring.values(JOB + "element_count", read)
    assert sum(monitoring.values(JOB + "elements_produced_count", read)) % 40 == 0
    assert 0 <= monitoring.values(JOB + "system_lag")[0] <= 5
    eventually(lambda: monitoring.values(JOB + "data_watermark_age"))
    assert 0 <= monitoring.values(JOB + "data_watermark_age")[0] <= 10
    assert monitoring.values(JOB + "current_num_vcpus")[0] == 1
    assert set(monitoring.values(JOB + "is_failed")) == {0}
    (state,) = monitoring.lately(JOB + "status")
    assert {point["value"]["stringValue"] for point in state["points"]} == {"RUNNING"}
    elapsed = [value(point) for point in monitoring.lately(JOB + "elapsed_time")[0]["points"]]
    assert elapsed == sorted(elapsed, reverse=True)


def test_a_job_that_was_killed_has_no_lag_any_more_and_is_failed(streaming: StreamingJobs) -> None:
    monitoring = Monitoring(streaming.cloud.server)
    job = streaming.jobs["answer"]
    streaming.running("answer")
    for process in streaming.cloud.processes(job, "supervisor"):
        process.kill()
    eventually(lambda: 1 in monitoring.values(JOB + "is_failed"))
    assert streaming.cloud.await_state(job, "FAILED") == "FAILED"
    time.sleep(0.5)
    ended = time.time()
    time.sleep(2)
    for metric in ("system_lag", "data_watermark_age", "status", "elapsed_time"):
        assert monitoring.lately(JOB + metric, seconds=time.time() - ended - 0.1) == []


def view(state: str, written: float, lag: float | None) -> JobView:
    job = {
        "projectId": PROJECT,
        "name": "live",
        "location": LOCATION,
        "id": "job-1",
        "createTime": "2025-06-15T15:00:00.000000Z",
    }
    health = {"time": rfc3339(written), "systemLagSeconds": lag, "dataWatermarkAgeSeconds": None}
    scalar = {
        "name": {"origin": "user", "name": "rows", "context": {"step": "s1", "namespace": "n"}},
        "scalar": 5,
    }
    metrics = {"metricTime": rfc3339(written), "metrics": [scalar]}
    moments = ("2025-06-15T15:10:00.000000Z", "2025-06-15T15:00:10.000000Z")
    return JobView(job, Status(state, *moments), 1, health, metrics)


NOW = moment("2025-06-15T15:20:00Z", "now")


def told(view: JobView) -> dict[str, int | float | str]:
    return {reading.metric.removeprefix(JOB): reading.value for reading in job_readings(view, NOW)}


def test_what_the_process_wrote_lately_is_told() -> None:
    found = told(view(states.RUNNING, NOW - 1, 3.4))
    assert found["system_lag"] == 3
    assert found["user_counter"] == 5
    assert found["elapsed_time"] == 20 * 60 - 10


def test_what_is_stale_or_unknown_is_missing_and_not_zero() -> None:
    stale = told(view(states.RUNNING, NOW - STALE_SECONDS - 1, 3.4))
    assert not {"system_lag", "user_counter", "data_watermark_age"} & set(stale)
    assert stale["status"] == "RUNNING"
    assert "data_watermark_age" not in told(view(states.RUNNING, NOW, 0.0))


def test_a_job_that_has_ended_tells_its_last_counts_and_how_long_it_ran() -> None:
    found = told(view(states.FAILED, NOW - 600, 3.4))
    assert found == {
        "elapsed_time": 590,
        "total_vcpu_time": 590,
        "is_failed": 1,
        "user_counter": 5,
    }
