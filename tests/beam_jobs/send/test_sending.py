"""The sender against Google's Pub/Sub emulator.

Where mere answers are wanted, the topic of requests gives them: it echoes what is published.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from google.pubsub_v1 import PubsubMessage

from beam_jobs.send.errors import SendError
from beam_jobs.send.main import main
from beam_jobs.send.sending import Order, Waiting, send
from tests.support.local_cloud import PROJECT, ROOT
from tests.support.patience import PATIENCE_S
from tests.support.pubsub_emulator import Paths, PubsubEmulator

NOWHERE = f"projects/{PROJECT}/topics/there-is-none"


@pytest.fixture
def channel(pubsub: PubsubEmulator, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A topic with a subscription, and this process's clients pointed at the emulator."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.host)
    return pubsub.create()


def received(pubsub: PubsubEmulator, channel: Paths, count: int) -> list[PubsubMessage]:
    found: list[PubsubMessage] = []
    deadline = time.monotonic() + PATIENCE_S
    with pubsub.subscriber() as subscriber:
        while len(found) < count and time.monotonic() < deadline:
            answer = subscriber.pull(subscription=channel.subscription, max_messages=1000)
            found += [each.message for each in answer.received_messages]
    return found


def subscriptions(pubsub: PubsubEmulator, topic: str) -> list[str]:
    return list(pubsub.publisher().list_topic_subscriptions(topic=topic))


def answer(pubsub: PubsubEmulator, channel: Paths, answers: str, count: int) -> None:
    """What the job would do: every fifth request is a dead letter, the others are scored."""
    publisher = pubsub.publisher()
    for message in received(pubsub, channel, count):
        id_ = message.attributes["request_id"]
        dead = int(id_.rpartition("-")[2]) % 5 == 0
        status, data = (
            ("dead_letter", b'{"error_code": "missing_value"}') if dead else ("scored", b"{}")
        )
        publisher.publish(answers, data, request_id=id_, status=status).result()


def test_a_file_is_published_whole_at_its_rate(
    pubsub: PubsubEmulator, channel: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "requests.csv"
    file.write_text("name,age\nann,30\nbob,40\n")
    options = ["--topic", channel.topic, "--file", str(file), "--format", "json"]
    began = time.monotonic()
    assert main([*options, "--count", "100", "--rate", "500", "--id-prefix", "a-"]) == 0
    assert time.monotonic() - began >= 99 / 500
    messages = received(pubsub, channel, 100)
    assert {message.attributes["request_id"] for message in messages} == {
        f"a-{number}" for number in range(100)
    }
    assert {message.data for message in messages} == {
        b'{"name": "ann", "age": "30"}',
        b'{"name": "bob", "age": "40"}',
    }
    told = capsys.readouterr().out
    assert f"100 of 100 messages accepted by {channel.topic}" in told
    assert "ids a-0 to a-99" in told


def test_more_than_one_request_holds_is_published_without_loss(
    pubsub: PubsubEmulator, channel: Paths
) -> None:
    outcome = send(Order(channel.topic, [b"x" * 100, b"y" * 3_000_000], count=6, id_prefix=""))
    assert (outcome.accepted, outcome.complete, outcome.failure) == (6, True, None)
    assert sorted(len(message.data) for message in received(pubsub, channel, 6)) == [
        *[100] * 3,
        *[3_000_000] * 3,
    ]


def test_answers_are_counted_by_outcome_with_their_latencies(
    pubsub: PubsubEmulator, channel: Paths, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answers = pubsub.create().topic
    file = tmp_path / "requests.jsonl"
    file.write_text('{"a": 1}\n' * 50)
    job = threading.Thread(target=answer, args=(pubsub, channel, answers, 50))
    job.start()
    options = ["--topic", channel.topic, "--file", str(file), "--responses", answers]
    assert main([*options, "--wait", "--id-prefix", "run-"]) == 0
    job.join()
    told = capsys.readouterr().out
    assert "50 answered, 0 unanswered" in told
    assert "scored 40, errors 10" in told
    assert "missing_value 10" in told
    assert "p99" in told
    assert len(subscriptions(pubsub, answers)) == 1  # the temporary one is gone


def test_unanswered_requests_fail_the_call_when_time_is_up(
    pubsub: PubsubEmulator, channel: Paths
) -> None:
    silent = pubsub.create().subscription
    order = Order(channel.topic, [b"{}"], 3, id_prefix="", waiting=Waiting(silent, timeout=0.3))
    outcome = send(order)
    assert outcome.accepted == 3
    assert outcome.answers is not None
    assert outcome.answers.unanswered == 3
    assert not outcome.complete


def test_an_echo_of_many_requests_is_complete(channel: Paths) -> None:
    waiting = Waiting(channel.topic, PATIENCE_S)
    outcome = send(Order(channel.topic, [b"{}"], 3000, rate=3000, id_prefix="", waiting=waiting))
    assert outcome.complete
    assert outcome.answers is not None
    assert outcome.answers.answered == 3000
    assert outcome.answers.latency(50) <= outcome.answers.latency(99)


def test_a_topic_that_is_not_there_is_named(
    channel: Paths, pubsub: PubsubEmulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text("{}\n")
    waiting = ["--wait", "--responses", channel.topic]
    assert main(["--topic", NOWHERE, "--file", str(file), *waiting]) == 1
    assert f"{NOWHERE}: 404" in capsys.readouterr().err
    assert subscriptions(pubsub, channel.topic) == [channel.subscription]
    with pytest.raises(SendError, match=f"{NOWHERE}: 404"):
        send(Order(channel.topic, [b"{}"], 1, id_prefix="", waiting=Waiting(NOWHERE, 1)))


def test_what_pubsub_refuses_on_the_way_ends_the_sending_and_is_told(
    pubsub: PubsubEmulator, channel: Paths
) -> None:
    gone: list[int] = []

    def vanish(accepted: int, _answered: int) -> None:
        if accepted >= 5 and not gone:
            gone.append(accepted)
            pubsub.publisher().delete_topic(topic=channel.topic)

    outcome = send(Order(channel.topic, [b"{}"], 1000, rate=50, id_prefix=""), vanish)
    assert gone[0] <= outcome.accepted < 1000
    assert not outcome.complete
    assert outcome.failure is not None
    assert outcome.failure.startswith(f"{channel.topic}: 404")


@pytest.mark.parametrize("content", ["", "name,age\n"])
def test_a_file_without_requests_is_an_error(
    channel: Paths, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "requests.csv"
    file.write_text(content)
    assert main(["--topic", channel.topic, "--file", str(file)]) == 1
    assert "holds no requests" in capsys.readouterr().err
    assert main(["--topic", channel.topic, "--file", str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err


def test_an_interrupted_sender_leaves_no_subscription(
    pubsub: PubsubEmulator, channel: Paths, tmp_path: Path
) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text("{}\n")
    command = [sys.executable, "-m", "beam_jobs.send", "--topic", channel.topic, "--rate", "20"]
    waiting = ["--file", str(file), "--count", "9999", "--wait", "--responses", channel.topic]
    # In the background of a shell it is ignored, and that is inherited.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    sender = subprocess.Popen([*command, *waiting], cwd=ROOT, env={**os.environ, **pubsub.env})
    signal.signal(signal.SIGINT, inherited)
    try:
        assert received(pubsub, channel, 1)
        assert len(subscriptions(pubsub, channel.topic)) == 2
        sender.send_signal(signal.SIGINT)
        assert sender.wait(PATIENCE_S) == 130
    finally:
        sender.kill()
    assert subscriptions(pubsub, channel.topic) == [channel.subscription]
