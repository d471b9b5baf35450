"""The topics and subscriptions that a stack makes for its services."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.stack.channels import Channel, create_channels, read_channels
from local.stack.errors import StackError
from local.stack.settings import REPOSITORY
from tests.support.local_cloud import PROJECT
from tests.support.pubsub_emulator import PubsubEmulator

FULL = Channel("prices.asked", "prices+scoring%1", "prices-answers")


def url(pubsub: PubsubEmulator) -> str:
    return f"http://{pubsub.host}"


def test_every_service_with_streaming_has_its_channel(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("streaming: {topic: a-in, subscription: a-job}")
    (tmp_path / "b.yaml").write_text("service: b")
    (tmp_path / "c.yaml").write_text(
        "streaming: {topic: c-in, subscription: c-job, response_topic: c-out}"
    )
    assert read_channels(tmp_path) == [
        Channel("a-in", "a-job"),
        Channel("c-in", "c-job", "c-out"),
    ]


@pytest.mark.parametrize(
    "content",
    ["streaming: {topic: t", "- a list", "", "streaming: {topic: t}", "streaming: 7",
     "streaming: {topic: [t], subscription: s}", "streaming: {topic: 1, subscription: s}"],
)  # fmt: skip
def test_a_service_with_a_mistake_harms_no_other(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    (tmp_path / "b.yaml").write_text("streaming: {topic: b-in, subscription: b-job}")
    assert read_channels(tmp_path) == [Channel("b-in", "b-job")]


def test_the_example_streams() -> None:
    assert [channel.topic for channel in read_channels(REPOSITORY / "dags" / "services")] == [
        "babyweight-requests"
    ]


def test_a_channel_is_made_once_and_never_expires(pubsub: PubsubEmulator) -> None:
    for _ in range(2):
        create_channels(url(pubsub), PROJECT, [FULL])
    with pubsub.subscriber() as subscriber:
        made = subscriber.get_subscription(
            subscription=f"projects/{PROJECT}/subscriptions/{FULL.subscription}"
        )
    assert made.topic == f"projects/{PROJECT}/topics/{FULL.topic}"
    assert made.ack_deadline_seconds == 60
    assert made.retain_acked_messages
    assert "expiration_policy" in made
    assert not made.expiration_policy.ttl
    answers = f"projects/{PROJECT}/topics/{FULL.response_topic}"
    assert pubsub.publisher().get_topic(topic=answers).name == answers


def test_a_subscription_of_another_topic_is_not_taken_for_the_services(
    pubsub: PubsubEmulator,
) -> None:
    create_channels(url(pubsub), PROJECT, [Channel("before", "moving")])
    with pytest.raises(StackError, match=r"moving reads projects/\S+/before"):
        create_channels(url(pubsub), PROJECT, [Channel("after", "moving")])


def test_what_the_emulator_refuses_is_told(pubsub: PubsubEmulator) -> None:
    with pytest.raises(StackError, match=r"Pub/Sub refused .*/topics/x: 400"):
        create_channels(url(pubsub), PROJECT, [Channel("x", "too-short")])
