"""Streaming jobs submitted by the unmodified DataflowRunner, over Google's own emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.dataflow_cloud import BUCKET, DataflowCloud, eventually
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.pubsub_wire import Wire
from tests.support.streaming_jobs import StreamingJobs

KINDS = ("answer", "count_by_window", "hold", "answer_slowly")


@pytest.fixture(scope="module")
def live(
    pubsub: PubsubEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StreamingJobs]:
    folder = tmp_path_factory.mktemp("streaming")
    cloud = DataflowCloud.with_image(folder / "cloud", "--pubsub", pubsub.host)
    cloud.storage.create_bucket(BUCKET)
    yield StreamingJobs(cloud, pubsub, folder / "launcher.log", KINDS)
    cloud.server.end()


def test_metrics_are_told_while_the_job_runs_and_survive_its_process(live: StreamingJobs) -> None:
    wire, job_id = live.running("answer"), live.jobs["answer"]
    wire.send(*[b"counted-%d" % i for i in range(40)])
    wire.hear(40)
    eventually(lambda: live.cloud.counters(job_id).get("seen", 0) == 40)
    [worker] = live.cloud.processes(job_id, "worker.job")
    worker.kill()
    wire.send(b"once more")
    wire.hear(1)
    eventually(lambda: live.cloud.counters(job_id)["seen"] == 41)


def test_messages_come_with_attributes_id_and_publish_time(live: StreamingJobs) -> None:
    wire = live.running("answer")
    wire.send(b"hello", colour="blue")
    [answer] = wire.hear(1)
    assert answer.data == b"hello"
    assert answer.attributes["colour"] == "blue"
    assert answer.attributes["id"].isdecimal()
    assert answer.attributes["published"].startswith("20")


def test_a_message_that_always_fails_does_not_stop_the_others(live: StreamingJobs) -> None:
    wire = live.running("answer")
    good = [b"before-%d" % i for i in range(150)], [b"after-%d" % i for i in range(150)]
    wire.send(*good[0], b"poison", *good[1])
    assert wire.words(300) == sorted(good[0] + good[1])
    assert live.cloud.state(live.jobs["answer"]) == "RUNNING"
    errors = live.cloud.messages(live.jobs["answer"], minimumImportance="JOB_MESSAGE_ERROR")
    assert "ValueError: cannot answer b'poison'" in errors[0]["messageText"]
    assert errors[0]["messageText"].startswith("Answer failed")


def test_windows_fire_without_new_messages(live: StreamingJobs) -> None:
    wire = live.running("count_by_window")
    wire.send(b"be", b"not", b"be")
    counts: dict[bytes, int] = {}
    while sum(counts.values()) < 3:
        for answer in wire.hear(1):
            word, count = answer.data.split()
            counts[word] = counts.get(word, 0) + int(count)
    assert counts == {b"be": 2, b"not": 1}


def test_timers_fire_without_new_messages(live: StreamingJobs) -> None:
    wire = live.running("hold")
    wire.send(b"a", b"b", b"c")
    assert wire.words(1) == [b"a,b,c"]


def test_a_killed_worker_is_replaced_and_no_message_is_lost(live: StreamingJobs) -> None:
    wire, job_id = live.running("answer"), live.jobs["answer"]
    sent = [b"kill-%d" % i for i in range(100)]
    for start in (0, 50):
        wire.send(*sent[start : start + 50])
        [worker] = eventually(lambda: live.cloud.processes(job_id, "worker.job"))
        worker.kill()
    assert wire.words(100) == sorted(sent)
    assert "ended by SIGKILL" in live.cloud.warnings(job_id)[-1]["messageText"]


def test_jobs_go_on_while_the_server_is_gone_and_it_finds_them_again(live: StreamingJobs) -> None:
    wire, job_id = live.running("answer"), live.jobs["answer"]
    live.cloud.server.kill()
    [worker] = live.cloud.processes(job_id, "worker.job")
    worker.kill()
    wire.send(b"nobody serves")
    # What the last worker had answered when it was killed may be answered again.
    wire.until(b"nobody serves")
    live.cloud.start()
    assert live.cloud.state(job_id) == "RUNNING"


def test_a_drain_finishes_what_was_begun_and_leaves_the_rest(live: StreamingJobs) -> None:
    wire, job_id = live.running("answer_slowly"), live.jobs["answer_slowly"]
    sent = [b"slow-%d" % i for i in range(3_000)]
    wire.send(*sent)
    heard = wire.words(1)
    assert live.cloud.drain(job_id)["currentState"] == "JOB_STATE_DRAINING"
    assert live.cloud.await_state(job_id, "DRAINED", "FAILED") == "DRAINED"
    heard += wire.silence(0.5)
    assert sorted(heard + wire.unread()) == sorted(sent)


def test_a_drain_fires_open_windows(live: StreamingJobs) -> None:
    wire, job_id = live.running("count_by_window"), live.jobs["count_by_window"]
    wire.send(b"last", b"last")
    time.sleep(0.3)
    live.cloud.drain(job_id)
    live.cloud.await_state(job_id, "DRAINED")
    left = wire.unread()
    assert wire.words(1) == [b"last 2"] if not left else left == [b"last", b"last"]


def eventually_silent(wire: Wire) -> bool:
    """Whether one of the next messages is not answered any more."""
    for number in range(10):
        wire.send(b"too late %d" % number)
        if wire.silence(1) == []:
            return True
    return False


def test_a_drain_waits_for_what_fails_until_it_is_cancelled(live: StreamingJobs) -> None:
    wire, job_id = live.running("answer"), live.jobs["answer"]
    wire.send(b"poison", b"sound")
    wire.hear(1)
    live.cloud.drain(job_id)
    # A worker reads on for the moment until it is told.
    assert eventually_silent(wire)
    assert live.cloud.state(job_id) == "DRAINING"
    live.cloud.cancel(job_id)
    assert live.cloud.await_state(job_id, "CANCELLED", "DRAINED") == "CANCELLED"
    eventually(lambda: not live.cloud.processes(job_id))
