"""What Cloud Monitoring tells of subscriptions, and that nobody who reads them notices."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from googleapiclient.errors import HttpError

from local.cloud.monitoring import subscriptions
from tests.support.dataflow_cloud import eventually
from tests.support.local_cloud import PROJECT, ObservedCloud
from tests.support.monitoring import SUBSCRIPTION, Monitoring
from tests.support.patience import PATIENCE_S
from tests.support.pubsub_emulator import Paths, PubsubEmulator

UNDELIVERED = SUBSCRIPTION + "num_undelivered_messages"
OLDEST = SUBSCRIPTION + "oldest_unacked_message_age"


@pytest.fixture(scope="module")
def sampled(
    tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator
) -> Iterator[ObservedCloud]:
    options = ("--pubsub", pubsub.host, "--monitoring-interval=0.2", "--monitoring-delay=0")
    cloud = ObservedCloud(tmp_path_factory.mktemp("sampled") / "data", options).start()
    yield cloud
    cloud.end()


class Watched:
    """A subscription with its topic, and what Cloud Monitoring says of it."""

    def __init__(self, pubsub: PubsubEmulator, cloud: ObservedCloud, **settings: bool) -> None:
        self._publisher = pubsub.publisher()
        self._subscriber = pubsub.subscriber()
        self.paths = Paths(
            f"projects/{PROJECT}/topics/topic-{uuid.uuid4().hex}",
            f"projects/{PROJECT}/subscriptions/subscription-{uuid.uuid4().hex}",
        )
        self._publisher.create_topic(name=self.paths.topic)
        request = {"name": self.paths.subscription, "topic": self.paths.topic, **settings}
        self._subscriber.create_subscription({"ack_deadline_seconds": 60, **request})
        self._monitoring = Monitoring(cloud)

    @property
    def id(self) -> str:
        return self.paths.subscription.rpartition("/")[2]

    def now(self, metric: str) -> float:
        """The first value that is sampled from now on."""
        asked = time.time()
        condition = f'resource.labels.subscription_id = "{self.id}"'

        def sampled() -> list[float]:
            return self._monitoring.values(metric, condition, seconds=time.time() - asked)[-1:]

        eventually(sampled)
        return sampled()[0]

    def watch(self) -> None:
        """Returns when messages that are published from now on are counted."""
        assert self.now(UNDELIVERED) == 0

    def publish(self, *payloads: bytes) -> None:
        for future in [self._publisher.publish(self.paths.topic, data) for data in payloads]:
            future.result(PATIENCE_S)

    def pull(self, most: int) -> dict[str, bytes]:
        """Payloads by their ack id."""
        response = self._subscriber.pull(subscription=self.paths.subscription, max_messages=most)
        return {m.ack_id: m.message.data for m in response.received_messages}

    def acknowledge(self, *ids: str) -> None:
        self._subscriber.acknowledge(subscription=self.paths.subscription, ack_ids=list(ids))

    def give_back(self, *ids: str) -> None:
        self._subscriber.modify_ack_deadline(
            subscription=self.paths.subscription, ack_ids=list(ids), ack_deadline_seconds=0
        )

    def subscriptions(self) -> list[str]:
        """All of the topic."""
        return list(self._publisher.list_topic_subscriptions(topic=self.paths.topic))


@pytest.fixture
def watched(sampled: ObservedCloud, pubsub: PubsubEmulator) -> Watched:
    return Watched(pubsub, sampled)


@pytest.mark.parametrize("setting", ["enable_message_ordering", "retain_acked_messages"])
def test_waiting_and_leased_messages_are_counted_until_they_are_acknowledged(
    pubsub: PubsubEmulator, sampled: ObservedCloud, setting: str
) -> None:
    watched = Watched(pubsub, sampled, **{setting: True})
    watched.watch()
    watched.publish(*(b"%d" % number for number in range(250)))
    assert watched.now(UNDELIVERED) == 250
    leased = watched.pull(60)
    assert watched.now(UNDELIVERED) == 250
    watched.acknowledge(*leased)
    assert watched.now(UNDELIVERED) == 250 - len(leased)


def test_old_shadows_make_way_for_young_ones_without_losing_count(
    pubsub: PubsubEmulator, sampled: ObservedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(subscriptions, "SETTLED_SECONDS", 0.3)
    watched = Watched(pubsub, sampled)
    sampling = subscriptions.Subscriptions(pubsub.host, "renewal")

    def count() -> int | float | str | None:
        time.sleep(0.5)
        readings = sampling.readings([PROJECT], lambda s: s["subscription_id"] == watched.id)
        return next((r.value for r in readings if r.metric == UNDELIVERED), None)

    assert count() is None
    shadows = set(watched.subscriptions())
    time.sleep(0.3)
    watched.publish(b"one", b"two")
    assert [count() for _ in range(3)] == [2, 2, 2]
    assert shadows < set(watched.subscriptions())
    watched.acknowledge(*watched.pull(2))
    assert [count() for _ in range(2)] == [0, 0]
    left = set(watched.subscriptions())
    assert not shadows - {watched.paths.subscription} & left
    assert len(left) <= 3
    sampling.close()
    assert watched.subscriptions() == [watched.paths.subscription]


def test_the_age_is_that_of_the_oldest_message_also_when_it_was_given_back(
    watched: Watched,
) -> None:
    watched.watch()
    begun = time.time()
    watched.publish(b"old")
    time.sleep(2)
    watched.publish(b"young", b"younger")
    (first,) = watched.pull(1)
    watched.give_back(first)
    before = time.time() - begun
    age = watched.now(OLDEST)
    assert before - 1 <= age <= time.time() - begun + 1
    assert age >= 2


def test_an_empty_subscription_has_age_and_count_zero(watched: Watched) -> None:
    watched.watch()
    assert watched.now(OLDEST) == 0


def test_of_messages_from_before_the_first_question_the_age_alone_is_known(
    watched: Watched, sampled: ObservedCloud
) -> None:
    watched.publish(b"early")
    time.sleep(1)
    assert watched.now(OLDEST) >= 1
    condition = f'resource.labels.subscription_id = "{watched.id}"'
    assert Monitoring(sampled).values(UNDELIVERED, condition) == []
    time.sleep(1.5)
    watched.acknowledge(*watched.pull(1))
    watched.publish(b"late")
    assert watched.now(UNDELIVERED) == 1


def test_a_reader_gets_each_message_once_and_in_order_while_it_is_sampled(
    watched: Watched,
) -> None:
    watched.watch()
    expected = [b"%04d" % number for number in range(120)]
    received: list[bytes] = []
    for start in range(0, 120, 20):
        watched.publish(*expected[start : start + 20])
        while len(received) < start + 20:
            messages = watched.pull(7)
            received += messages.values()
            time.sleep(0.05)
            watched.acknowledge(*messages)
    assert received == expected
    assert watched.now(UNDELIVERED) == 0


def test_a_subscription_that_nobody_asks_for_is_left_alone(
    watched: Watched, pubsub: PubsubEmulator, sampled: ObservedCloud
) -> None:
    watched.watch()
    other = Watched(pubsub, sampled)
    time.sleep(1)
    assert other.subscriptions() == [other.paths.subscription]


def test_samples_go_on_after_a_kill_and_nothing_is_left_in_pubsub_after_a_stop(
    tmp_path: Path, pubsub: PubsubEmulator
) -> None:
    options = ("--pubsub", pubsub.host, "--monitoring-interval=0.2", "--monitoring-delay=0")
    cloud = ObservedCloud(tmp_path / "data", options).start()
    watched = Watched(pubsub, cloud)
    watched.watch()
    watched.publish(b"one", b"two")
    assert watched.now(UNDELIVERED) == 2
    cloud.kill()
    watched.publish(b"three")
    cloud.start()
    assert watched.now(UNDELIVERED) == 3
    condition = f'resource.labels.subscription_id = "{watched.id}"'
    assert {0, 2, 3} <= set(Monitoring(cloud).values(UNDELIVERED, condition))
    cloud.end()
    assert watched.subscriptions() == [watched.paths.subscription]
    listed = pubsub.subscriber().list_subscriptions(project=f"projects/{PROJECT}")
    assert not [found for found in listed if "shadow" in found.name]


def test_without_an_emulator_metrics_of_pubsub_are_refused(cloud_env: ObservedCloud) -> None:
    with pytest.raises(HttpError, match="--pubsub") as refusal:
        Monitoring(cloud_env).values(UNDELIVERED)
    assert refusal.value.status_code == 501
