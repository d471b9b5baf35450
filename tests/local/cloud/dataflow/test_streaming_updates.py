"""A running job replaced by another one, submitted by the unmodified DataflowRunner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.dataflow_cloud import BUCKET, DataflowCloud, Launcher, eventually
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.pubsub_wire import Wire
from tests.support.streaming_jobs import SCRIPT

MAPPED = "--transform_name_mapping=" + json.dumps({"Hold": "Keep"})


@dataclass
class Updates:
    """A job that holds messages back, and the updates that are tried on it."""

    cloud: DataflowCloud
    launcher: Launcher
    wire: Wire
    topic_wire: Wire

    @property
    def old(self) -> str:
        return self.launcher.id("hold")

    def update(self, kind: str, *options: str) -> str:
        """Submits a job of that kind as an update of `hold`; its id."""
        common = ("--streaming", "--update", *self.wire.options)
        return self.launcher.submit(kind, "hold", *common, *options)

    def refused(self, kind: str, *options: str) -> str:
        """What the service says against an update, which leaves the old job as it was."""
        new = self.update(kind, *options)
        assert self.cloud.await_state(new, "FAILED", "RUNNING", "DONE") == "FAILED"
        assert self.cloud.state(self.old) == "RUNNING"
        [error] = self.cloud.messages(new, minimumImportance="JOB_MESSAGE_ERROR")
        return str(error["messageText"])


@pytest.fixture(scope="module")
def updates(pubsub: PubsubEmulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Updates]:
    folder = tmp_path_factory.mktemp("updates")
    cloud = DataflowCloud.with_image(folder / "cloud", "--pubsub", pubsub.host)
    cloud.storage.create_bucket(BUCKET)
    wire = Wire(pubsub)
    topic_wire = Wire(pubsub)
    jobs = [
        ("hold", "hold", ["--streaming", *wire.options]),
        ("read_a_topic", "topic", ["--streaming", *topic_wire.options]),
    ]
    launcher = Launcher(cloud, jobs, folder / "launcher.log", SCRIPT)
    for name in ("hold", "topic"):
        assert cloud.await_state(launcher.id(name), "RUNNING", "FAILED") == "RUNNING"
    yield Updates(cloud, launcher, wire, topic_wire)
    launcher.end()
    cloud.server.end()


def test_a_changed_coder_fails_the_new_job_and_leaves_the_old_one_running(
    updates: Updates,
) -> None:
    refusal = updates.refused("hold_texts")
    assert refusal.startswith(
        f"Workflow failed. Causes: The new job is not compatible with {updates.old}. The original "
        "job has not been aborted., The Coder or type for step Hold has changed."
    )
    assert "kv(string_utf8, bytes) became kv(string_utf8, string_utf8)" in refusal
    assert "Traceback" not in refusal
    updates.wire.send(b"still", b"there")
    assert updates.wire.words(1) == [b"still,there"]


def test_a_renamed_stateful_step_is_missing_without_a_mapping(updates: Updates) -> None:
    assert "The new job is missing steps Hold." in updates.refused("hold_loudly")


def test_an_update_can_be_tried_without_doing_it(updates: Updates) -> None:
    tried = updates.update("hold_loudly", MAPPED, "--dataflow_service_options=graph_validate_only")
    assert updates.cloud.await_state(tried, "DONE", "RUNNING", "FAILED") == "DONE"
    told = [message["messageText"] for message in updates.cloud.messages(tried)]
    validated = f"Workflow job: {tried} succeeded validation. Marking graph_validate_only"
    assert any(text.startswith(validated) for text in told)
    assert updates.cloud.state(updates.old) == "RUNNING"


def test_a_job_that_reads_a_topic_hands_on_its_subscription_and_what_it_fails_at(
    updates: Updates,
) -> None:
    cloud, wire = updates.cloud, updates.topic_wire
    [made] = wire.subscriptions()
    assert made.startswith(wire.requests.topic.replace("/topics/", "/subscriptions/") + ".")
    wire.send(b"first", b"poison")
    assert wire.words(1) == [b"first"]
    options = ("--streaming", "--update", *wire.options)
    new = updates.launcher.submit("read_a_topic_bravely", "topic", *options)
    sent = [b"meanwhile-%d" % number for number in range(50)]
    wire.send(*sent)
    assert wire.words(51) == sorted([*sent, b"poison"])
    assert cloud.await_state(new, "RUNNING", "FAILED") == "RUNNING"
    assert cloud.await_state(updates.launcher.id("topic"), "UPDATED", "FAILED") == "UPDATED"
    assert wire.subscriptions() == [made]
    cloud.drain(new)
    assert cloud.await_state(new, "DRAINED", "FAILED") == "DRAINED"
    assert wire.subscriptions() == []


def test_a_mapped_step_lets_the_update_through_and_kills_do_not_stop_it(updates: Updates) -> None:
    updates.wire.send(b"early")
    new = updates.update("hold_loudly", MAPPED)
    updates.cloud.server.kill()
    [worker] = eventually(lambda: updates.cloud.processes(new, "worker.job"))
    worker.kill()
    updates.cloud.start()
    assert updates.cloud.await_state(new, "RUNNING", "FAILED") == "RUNNING"
    assert updates.cloud.await_state(updates.old, "UPDATED", "FAILED") == "UPDATED"
    updates.wire.send(b"late")
    assert {word.upper() for word in updates.wire.words(2)} == {b"EARLY", b"LATE"}
    replaced, successor = updates.cloud.job(updates.old), updates.cloud.job(new)
    assert replaced["replacedByJobId"] == new
    assert successor["replaceJobId"] == updates.old
    assert successor["transformNameMapping"] == {"Hold": "Keep"}
    assert successor["name"] == "hold"
