"""Faults in the processes of Dataflow jobs, and reads of job states that lag behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import Status
from tests.support.dataflow_cloud import BUCKET, LOCATION, DataflowCloud, Launcher, eventually
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.streaming_jobs import StreamingJobs

EARLY = ("job.started", "job.ready", "job.bundle.processed")
LATE = ("job.bundle.committed", "job.metrics", "job.finished")
STREAMING = ("job.bundle.processed", "job.bundle.committed", "job.acknowledge", "job.metrics")


@pytest.fixture(scope="module")
def cloud(
    pubsub: PubsubEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DataflowCloud]:
    cloud = DataflowCloud.with_image(
        tmp_path_factory.mktemp("faulty") / "cloud", "--pubsub", pubsub.host
    )
    bucket = cloud.storage.create_bucket(BUCKET)
    bucket.blob("in/words.txt").upload_from_string("to be or not to be\n")
    yield cloud
    cloud.server.end()


@pytest.fixture(scope="module")
def batch(cloud: DataflowCloud, tmp_path_factory: pytest.TempPathFactory) -> Launcher:
    """Three jobs of one pipeline, which differ in where they are struck."""
    for name, points in (("early", EARLY), ("late", LATE), ("last", ("job.end",))):
        for point in points:
            cloud.server.inject(kind="crash", point=point, job=name, times=1)
    log = tmp_path_factory.mktemp("batch") / "launcher.log"
    launcher = Launcher(cloud, [("read_and_count", n, []) for n in ("early", "late", "last")], log)
    launcher.end()
    return launcher


@pytest.mark.parametrize(("name", "points"), [("early", EARLY), ("late", LATE)])
def test_a_batch_job_that_crashes_at_three_points_is_done_in_its_fourth_attempt(
    cloud: DataflowCloud, batch: Launcher, name: str, points: tuple[str, ...]
) -> None:
    job_id = batch.id(name)
    assert cloud.await_state(job_id, "DONE", "FAILED") == "DONE"
    assert len(cloud.warnings(job_id)) == 3
    assert "be 2" in cloud.text(f"{name}/out")
    log = cloud.server.log.read_text()
    for point in points:
        assert f"crash at point {point} of job {name}" in log


def test_a_supervisor_that_dies_before_the_last_state_leaves_a_failed_job(
    cloud: DataflowCloud, batch: Launcher
) -> None:
    job_id = batch.id("last")
    assert cloud.await_state(job_id, "DONE", "FAILED") == "FAILED"
    assert "be 2" in cloud.text("last/out")
    [error] = cloud.messages(job_id, minimumImportance="JOB_MESSAGE_ERROR")
    assert "its supervisor was killed" in error["messageText"]


def test_a_streaming_job_that_crashes_at_each_point_answers_every_message(
    cloud: DataflowCloud, pubsub: PubsubEmulator, tmp_path: Path
) -> None:
    live = StreamingJobs(cloud, pubsub, tmp_path / "log", ["answer"])
    wire = live.running("answer")
    for point in STREAMING:
        cloud.server.inject(kind="crash", point=point, job="answer", times=1)
        wire.send(point.encode())
        struck = f"crash at point {point} of job answer"
        eventually(lambda struck=struck: struck in cloud.server.log.read_text())
    heard: set[bytes] = set()
    while heard < {point.encode() for point in STREAMING}:
        heard |= set(wire.words(1))
    assert eventually(lambda: len(cloud.warnings(live.jobs["answer"])) == len(STREAMING))
    cloud.cancel(live.jobs["answer"])


def test_a_job_whose_server_crashes_before_its_launch_has_failed(fresh_cloud: LocalCloud) -> None:
    dataflow = DataflowCloud(fresh_cloud)
    fresh_cloud.inject(kind="crash", point="dataflow.job.launch")
    with pytest.raises(ConnectionError):
        dataflow.create("never-launched")
    assert fresh_cloud.wait() == 137
    fresh_cloud.start()
    [job] = dataflow.jobs.list(projectId=PROJECT, location=LOCATION).execute()["jobs"]
    assert (job["name"], job["currentState"]) == ("never-launched", "JOB_STATE_FAILED")


@pytest.fixture
def stale(cloud: DataflowCloud) -> Iterator[Any]:
    """Makes reads of jobs see the past; heals nothing but that."""
    armed: list[str] = []

    def arm(**fault: Any) -> None:
        armed.append(cloud.server.call("POST", "/_local/faults", {"kind": "stale", **fault})["id"])

    yield arm
    for each in armed:
        cloud.server.call("DELETE", f"/_local/faults/{each}")


def listed(cloud: DataflowCloud) -> set[str]:
    answer = cloud.jobs.list(projectId=PROJECT, location=LOCATION).execute()
    return {job["id"] for job in answer["jobs"]}


def test_a_new_job_is_missing_from_stale_lists_and_found_by_its_id(
    cloud: DataflowCloud, stale: Any
) -> None:
    stale(path="/jobs$", method="GET", seconds=1.5)
    begun = time.monotonic()
    job_id = cloud.create("just-created")["id"]
    assert job_id not in listed(cloud)
    assert cloud.state(job_id) == "PENDING"
    while job_id not in listed(cloud):
        assert time.monotonic() - begun < 30
        time.sleep(0.1)
    assert time.monotonic() - begun >= 1.5
    cloud.cancel(job_id)


def test_a_stale_read_of_a_job_shows_the_state_of_some_seconds_ago(
    cloud: DataflowCloud, stale: Any
) -> None:
    job_id = cloud.create("soon-cancelled")["id"]
    cloud.cancel(job_id)
    cloud.await_state(job_id, "CANCELLED")
    stale(path=f"/jobs/{job_id}$", seconds=3600, times=2)
    stale(path=f"/jobs/{job_id}$", seconds=0)
    assert [cloud.state(job_id) for _ in range(3)] == ["PENDING", "PENDING", "CANCELLED"]


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("T00", None),
        ("T01", states.PENDING),
        ("T02", states.RUNNING),
        ("T03", states.RUNNING),
        ("T04", states.DRAINING),
        ("T05", states.DRAINED),
        ("T09", states.DRAINED),
    ],
)
def test_the_past_of_a_job_follows_from_when_it_began_and_what_was_asked(
    moment: str, state: str | None
) -> None:
    status = Status(states.DRAINED, "T05", started="T02")
    requested = Status(states.DRAINED, "T04")
    then = states.as_of(moment, status, requested, created="T01")
    assert (then.state if then else None) == state
