"""Streaming jobs that acknowledge as Dataflow does, and what goes wrong around them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dataflow_cloud import BUCKET, DataflowCloud, eventually
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.streaming_jobs import StreamingJobs

SENT = [b"in-flight-%d" % number for number in range(300)]
DEADLINE_SECONDS = 10.0
KINDS = ("answer", "answer_slowly", "shuffle_and_answer_slowly", "read_a_topic")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubsubEmulator]:
    """One that may be restarted."""
    emulator = PubsubEmulator(tmp_path_factory.mktemp("emulator") / "log").start()
    yield emulator
    emulator.kill()


@pytest.fixture(scope="module")
def live(
    emulator: PubsubEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StreamingJobs]:
    folder = tmp_path_factory.mktemp("streaming")
    as_dataflow = ("--pubsub", emulator.host, "--streaming-ack", "first-stage")
    cloud = DataflowCloud.with_image(folder / "cloud", *as_dataflow)
    cloud.storage.create_bucket(BUCKET)
    yield StreamingJobs(cloud, emulator, folder / "launcher.log", KINDS, "--pace=0.02")
    cloud.server.end()


def test_cancelling_loses_what_is_in_flight_beyond_the_first_stage_and_no_more(
    live: StreamingJobs,
) -> None:
    one_stage, two_stages = "answer_slowly", "shuffle_and_answer_slowly"
    for name in (one_stage, two_stages):
        live.running(name).send(*SENT)
    time.sleep(2)
    for name in (one_stage, two_stages):
        live.cloud.cancel(live.jobs[name])
        assert live.cloud.await_state(live.jobs[name], "CANCELLED", "FAILED") == "CANCELLED"
    time.sleep(DEADLINE_SECONDS)
    left = {name: set(wire.silence(0.5) + wire.unread()) for name, wire in live.wires.items()}
    assert left[one_stage] == set(SENT)
    assert len(left[two_stages]) < len(SENT)


def test_a_job_outlasts_a_restart_of_the_emulator(
    live: StreamingJobs, emulator: PubsubEmulator
) -> None:
    wire = live.running("answer")
    wire.send(b"before")
    wire.hear(1)
    topic_wire = live.running("read_a_topic")
    emulator.restart()
    for paths in (wire.requests, wire.answers, topic_wire.requests, topic_wire.answers):
        emulator.create(*(path.rpartition("/")[2] for path in paths))
    wire.send(b"after")
    assert wire.words(1) == [b"after"]
    eventually(topic_wire.subscriptions)
    topic_wire.send(b"by a subscription made again")
    assert topic_wire.words(1) == [b"by a subscription made again"]


def test_a_job_without_an_emulator_fails_and_names_what_is_missing(
    cloud: DataflowCloud, emulator: PubsubEmulator, tmp_path: Path
) -> None:
    live = StreamingJobs(cloud, emulator, tmp_path / "log", ["answer"])
    job_id = live.jobs["answer"]
    assert cloud.await_state(job_id, "FAILED", "RUNNING") == "FAILED"
    [error] = cloud.messages(job_id, minimumImportance="JOB_MESSAGE_ERROR")
    assert "--pubsub HOST:PORT" in error["messageText"]
    assert "Traceback" not in error["messageText"]


@pytest.mark.long
def test_a_worker_that_hangs_is_abandoned_and_its_message_redelivered(
    pubsub: PubsubEmulator, tmp_path: Path
) -> None:
    cloud = DataflowCloud.with_image(tmp_path / "cloud", "--pubsub", pubsub.host)
    cloud.storage.create_bucket(BUCKET)
    limit = "--element_processing_timeout_minutes=1"
    live = StreamingJobs(cloud, pubsub, tmp_path / "log", ["answer"], limit)
    try:
        wire = live.running("answer")
        wire.send(b"hang", until=str(time.time() + 30))
        assert wire.silence(59) == []
        assert wire.words(1) == [b"hang"]
        [lost] = cloud.warnings(live.jobs["answer"])
        assert "exceeded the specified timeout of 1.00 minutes" in lost["messageText"]
    finally:
        cloud.server.end()
