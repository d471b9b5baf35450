"""The google provider's Pub/Sub operators and sensor, over Google's own emulator."""

from __future__ import annotations

import threading
import uuid

import pytest
from airflow.providers.google.cloud.hooks.pubsub import PubSubException
from airflow.providers.google.cloud.operators.pubsub import (
    PubSubCreateSubscriptionOperator,
    PubSubCreateTopicOperator,
    PubSubDeleteSubscriptionOperator,
    PubSubDeleteTopicOperator,
    PubSubPublishMessageOperator,
    PubSubPullOperator,
)
from airflow.providers.google.cloud.sensors.pubsub import PubSubPullSensor

from tests.support.airflow_tasks import TaskRun, run
from tests.support.local_cloud import PROJECT
from tests.support.pubsub_emulator import PubsubEmulator

MESSAGES = [{"data": b"first"}, {"data": b"second", "attributes": {"colour": "blue"}}]


@pytest.fixture
def topic(pubsub: PubsubEmulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new topic, and of the one subscription to it."""
    for name, value in pubsub.env.items():
        monkeypatch.setenv(name, value)
    name = f"topic-{uuid.uuid4().hex[:12]}"
    of = {"task_id": "t", "project_id": PROJECT, "topic": name}
    run(PubSubCreateTopicOperator(**of))
    run(PubSubCreateSubscriptionOperator(**of, subscription=name))
    return name


def publish(topic: str) -> None:
    run(
        PubSubPublishMessageOperator(
            task_id="t", project_id=PROJECT, topic=topic, messages=MESSAGES
        )
    )


def test_messages_are_published_pulled_and_acknowledged(topic: str) -> None:
    publish(topic)
    pull = {"task_id": "t", "project_id": PROJECT, "subscription": topic, "max_messages": 10}
    heard = run(
        PubSubPullOperator(
            **pull,
            ack_messages=True,
            messages_callback=lambda messages, _context: sorted(
                (m.message.data.decode(), dict(m.message.attributes)) for m in messages
            ),
        )
    )
    assert heard == [("first", {}), ("second", {"colour": "blue"})]
    assert run(PubSubPullOperator(**pull)) == []


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_sensor_hears_messages_that_come_later(topic: str, deferrable: bool) -> None:
    later = threading.Timer(0.5, publish, [topic])
    later.start()
    sensor = PubSubPullSensor(
        task_id="t",
        project_id=PROJECT,
        subscription=topic,
        ack_messages=True,
        poke_interval=0.2,
        deferrable=deferrable,
    )
    task = TaskRun(sensor)
    assert task.finish()[0]["message"]["data"] in ("Zmlyc3Q=", "c2Vjb25k")
    later.join()
    assert task.deferred == (["PubsubPullTrigger"] if deferrable else [])


def test_what_exists_is_made_once_and_what_is_deleted_is_gone(topic: str) -> None:
    of = {"task_id": "t", "project_id": PROJECT}
    run(PubSubCreateTopicOperator(**of, topic=topic))
    with pytest.raises(PubSubException, match="already exists"):
        run(PubSubCreateTopicOperator(**of, topic=topic, fail_if_exists=True))
    run(PubSubDeleteSubscriptionOperator(**of, subscription=topic))
    run(PubSubDeleteTopicOperator(**of, topic=topic))
    with pytest.raises(PubSubException, match="does not exist"):
        run(PubSubDeleteTopicOperator(**of, topic=topic, fail_if_not_exists=True))
