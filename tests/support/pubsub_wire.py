"""A subscription that a job reads and a topic that it answers to."""

from __future__ import annotations

import time
import warnings
from typing import Any

from google.cloud import pubsub_v1

from tests.support.patience import PATIENCE_S
from tests.support.pubsub_emulator import PubsubEmulator


class Wire:
    """Sends to a job and hears its answers, through Google's own clients."""

    def __init__(self, pubsub: PubsubEmulator) -> None:
        self.requests = pubsub.create()
        self.answers = pubsub.create()
        self._publisher = pubsub.publisher()
        self._subscriber = pubsub.subscriber()

    @property
    def options(self) -> list[str]:
        """For the pipelines of streaming_launcher.py."""
        topic, subscription = self.requests
        return [f"--source={subscription}", f"--topic={topic}", f"--target={self.answers.topic}"]

    def subscriptions(self) -> list[str]:
        """Those to the topic of the requests that others have made."""
        found = self._publisher.list_topic_subscriptions(topic=self.requests.topic)
        return [name for name in found if name != self.requests.subscription]

    def send(self, *payloads: bytes, **attributes: str) -> None:
        """Returns when all have been accepted."""
        topic = self.requests.topic
        sent = [self._publisher.publish(topic, data, **attributes) for data in payloads]
        for future in sent:
            future.result(PATIENCE_S)

    def hear(self, count: int) -> list[pubsub_v1.types.PubsubMessage]:
        """So many different answers, by their payload; what is heard again is left out."""
        heard: dict[bytes, Any] = {}
        deadline = time.monotonic() + PATIENCE_S
        while len(heard) < count:
            assert time.monotonic() < deadline, f"{len(heard)} of {count} answers came"
            heard |= {m.data: m for m in self._take(self.answers.subscription)}
        return list(heard.values())

    def until(self, payload: bytes) -> None:
        """Waits for one answer, whatever is answered again before it."""
        deadline = time.monotonic() + PATIENCE_S
        while payload not in [m.data for m in self._take(self.answers.subscription)]:
            assert time.monotonic() < deadline, f"{payload!r} was not answered"

    def words(self, count: int) -> list[bytes]:
        """The payloads of so many answers, sorted."""
        return sorted(message.data for message in self.hear(count))

    def silence(self, seconds: float) -> list[bytes]:
        """What is answered within a while."""
        return self._within(self.answers.subscription, seconds)

    def unread(self, seconds: float = 1) -> list[bytes]:
        """Requests that nobody has acknowledged and that come again within a while."""
        return self._within(self.requests.subscription, seconds)

    def _within(self, subscription: str, seconds: float) -> list[bytes]:
        end = time.monotonic() + seconds
        found: list[bytes] = []
        while time.monotonic() < end:
            found += [message.data for message in self._take(subscription)]
        return found

    def _take(self, subscription: str) -> list[Any]:
        with warnings.catch_warnings():
            # Deprecated for production, where it misses messages; the emulator has them all.
            warnings.simplefilter("ignore", DeprecationWarning)
            response = self._subscriber.pull(
                subscription=subscription, max_messages=1_000, return_immediately=True
            )
        received = list(response.received_messages)
        if received:
            self._subscriber.acknowledge(
                subscription=subscription, ack_ids=[m.ack_id for m in received]
            )
        else:
            time.sleep(0.05)
        return [m.message for m in received]
