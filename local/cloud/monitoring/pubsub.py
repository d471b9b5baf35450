"""The calls on Pub/Sub that tell what a subscription holds, and disturb no one who reads it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
from google.api_core.exceptions import GoogleAPIError
from google.pubsub_v1 import SubscriberClient, types
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.cloud.dataflow.worker.streaming.subscription import Subscription

LIFETIME_SECONDS = timedelta(days=7).total_seconds()
"""Of a snapshot whose subscription has nothing unacknowledged; each second of age of the oldest
message takes one off."""
_CALL_SECONDS = 10.0
_PULL_MOST = 1_000
_ACK_DEADLINE = 600

PubsubErrors = (grpc.RpcError, GoogleAPIError)


@dataclass(frozen=True)
class Subscribed:
    """A subscription's full name, its topic's and its filter."""

    name: str
    topic: str
    filter: str


class Pubsub:
    """The emulator at `host`. Snapshots and shadows are made in a project of our own, where nobody
    else lists them. Calls raise one of PubsubErrors."""

    def __init__(self, host: str, project: str) -> None:
        self._host = host
        self._project = f"projects/{project}"
        self._channel = grpc.insecure_channel(host)
        transport = SubscriberGrpcTransport(channel=self._channel)
        self._subscriber = SubscriberClient(transport=transport)

    def close(self) -> None:
        self._channel.close()

    def subscriptions(self, project: str) -> list[Subscribed]:
        """Those of a project whose topic is still there."""
        listed = self._subscriber.list_subscriptions(
            project=f"projects/{project}", retry=None, timeout=_CALL_SECONDS
        )
        return [
            Subscribed(found.name, found.topic, found.filter)
            for found in listed
            if found.topic != "_deleted-topic_"
        ]

    def shadows(self) -> list[str]:
        """The ids of our shadows."""
        listed = self._subscriber.list_subscriptions(
            project=self._project, retry=None, timeout=_CALL_SECONDS
        )
        return [found.name.rpartition("/")[2] for found in listed]

    def create_shadow(self, id: str, original: Subscribed) -> None:
        """A subscription that gets all that the original gets from now on, and is read by us
        alone."""
        request = types.Subscription(
            name=self._shadow(id),
            topic=original.topic,
            filter=original.filter,
            ack_deadline_seconds=_ACK_DEADLINE,
        )
        self._subscriber.create_subscription(request, retry=None, timeout=_CALL_SECONDS)

    def delete_shadow(self, id: str) -> None:
        self._subscriber.delete_subscription(
            subscription=self._shadow(id), retry=None, timeout=_CALL_SECONDS
        )

    @contextmanager
    def snapshot(self, subscription: str) -> Iterator[tuple[str, float]]:
        """A snapshot for as long as the context lasts: its name, and when the oldest message that
        is not acknowledged was published, in seconds since 1970; the present where there is none.
        """
        name = f"{self._project}/snapshots/snapshot-{uuid.uuid4().hex}"
        made = self._subscriber.create_snapshot(
            name=name, subscription=subscription, retry=None, timeout=_CALL_SECONDS
        )
        try:
            yield name, _seconds(types.Snapshot.pb(made).expire_time) - LIFETIME_SECONDS
        finally:
            self._subscriber.delete_snapshot(snapshot=name, retry=None, timeout=_CALL_SECONDS)

    def count(self, id: str, snapshot: str, most: int) -> tuple[int, float | None]:
        """How many messages the snapshot leaves to the shadow, and when the oldest of them was
        published; counts no further than `most`."""
        self._subscriber.seek(
            types.SeekRequest(subscription=self._shadow(id), snapshot=snapshot),
            retry=None,
            timeout=_CALL_SECONDS,
        )
        shadow = Subscription(self._host, self._shadow(id))
        count, oldest = 0, None
        try:
            while count < most and (messages := shadow.pull(_PULL_MOST).received_messages):
                oldest = oldest or _seconds(messages[0].message.publish_time)
                count += len(messages)
                # Each pull looks at all that is delivered and not acknowledged.
                shadow.acknowledge([message.ack_id for message in messages])
        finally:
            shadow.close()
        return min(count, most), oldest

    def _shadow(self, id: str) -> str:
        return f"{self._project}/subscriptions/{id}"


def _seconds(timestamp: Any) -> float:
    return float(timestamp.seconds + timestamp.nanos / 1e9)
