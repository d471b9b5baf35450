"""A running job replaced by another one, submitted by the unmodified DataflowRunner."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.dataflow_cloud import BUCKET, IMAGE, DataflowCloud, Launcher, eventually
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.pubsub_wire import Wire
from tests.support.streaming_jobs import SCRIPT
from tests.support.wheels import a_wheel

ON_IMAGE = f"--sdk_container_image={IMAGE}"
MAPPED = "--transform_name_mapping=" + json.dumps({"Hold": "Keep"})


@dataclass
class Updates:
    """A job that holds messages back, and the updates that are tried on it."""

    cloud: DataflowCloud
    launcher: Launcher
    wire: Wire
    topic_wire: Wire
    code_wire: Wire

    @property
    def old(self) -> str:
        return self.launcher.id("hold")

    def update(self, kind: str, *options: str) -> str:
        """Submits a job of that kind as an update of `hold`; its id."""
        common = ("--streaming", "--update", *self.wire.options)
        return self.launcher.submit(kind, "hold", *common, *options)

    def update_code(self, *options: str) -> str:
        """Submits an update of `code`; its id."""
        common = ("--streaming", "--update", *self.code_wire.options, ON_IMAGE)
        return self.launcher.submit("tell_whose", "code", *common, *options)

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
    topic_wire, code_wire = Wire(pubsub), Wire(pubsub)
    jobs = [
        ("hold", "hold", ["--streaming", *wire.options]),
        ("read_a_topic", "topic", ["--streaming", *topic_wire.options]),
        ("tell_whose", "code", ["--streaming", *code_wire.options, ON_IMAGE]),
    ]
    launcher = Launcher(cloud, jobs, folder / "launcher.log", SCRIPT)
    try:
        for name in ("hold", "topic", "code"):
            assert cloud.await_state(launcher.id(name), "RUNNING", "FAILED") == "RUNNING"
        yield Updates(cloud, launcher, wire, topic_wire, code_wire)
    finally:
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


def test_an_update_whose_supervisor_dies_while_the_old_job_hands_over_leaves_that_running(
    updates: Updates,
) -> None:
    cloud, wire, old = updates.cloud, updates.code_wire, updates.launcher.id("code")
    [worker] = cloud.processes(old, "worker.job")
    worker.suspend()
    new = updates.update_code()
    eventually((cloud.server.data / "dataflow" / "jobs" / old / "replaced.json").exists)
    time.sleep(2)  # for the old job to hear of it
    [supervisor] = cloud.processes(new, "local.cloud.dataflow.supervisor")
    supervisor.kill()
    assert cloud.await_state(new, "RUNNING", "FAILED") == "FAILED"
    worker.resume()
    wire.send(b"still there, with")
    assert wire.words(1) == [b"still there, with the image"]
    assert cloud.state(old) == "RUNNING"
    assert [told["messageText"] for told in cloud.warnings(old)] == [
        "The job that was to take over is gone. Going on."
    ]


def test_an_update_brings_a_wheel_that_goes_before_the_image_and_crashes_do_not_stop_it(
    updates: Updates, tmp_path: Path
) -> None:
    cloud, wire = updates.cloud, updates.code_wire
    wheel = a_wheel(tmp_path, {"code_of_image.py": "WHOSE = 'the wheel'"})
    blob = cloud.storage.bucket(BUCKET).blob(f"code/{wheel.name}")
    blob.upload_from_filename(str(wheel))
    wire.send(b"before:")
    assert wire.words(1) == [b"before: the image"]
    cloud.server.heal()
    for point in ("job.set_up", "job.finished", "job.ready"):
        cloud.server.inject(kind="crash", point=point, job="code", times=1)
    new = updates.update_code(f"--extra_package=gs://{BUCKET}/{blob.name}")
    wire.send(b"meanwhile:")
    assert cloud.await_state(new, "RUNNING", "FAILED") == "RUNNING"
    assert cloud.state(updates.launcher.id("code")) == "UPDATED"
    eventually(lambda: cloud.server.injections() == 3)
    wire.send(b"after:")
    answers = {word.split(b": ")[0]: word for word in wire.words(2)}
    assert answers[b"after"] == b"after: the wheel"
    assert answers[b"meanwhile"] in (b"meanwhile: the image", b"meanwhile: the wheel")
    assert len(cloud.processes(new, "worker.job")) == 1
    assert cloud.processes(updates.launcher.id("code")) == []
