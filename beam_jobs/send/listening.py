"""Hears the answers while requests are sent."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.protobuf import duration_pb2
from google.pubsub_v1.types import PullResponse, Subscription

from beam_jobs.send.answers import Answer, read_answer
from beam_jobs.send.errors import SendError
from beam_jobs.send.publishing import told

Hear = Callable[[list[Answer], float], None]
"""Takes answers and when they came, by the monotonic clock."""

_MOST_AT_ONCE = 1000
_PULL_S = 2.0
_PAUSE_S = 0.2
_PASSING = (
    exceptions.Aborted,
    exceptions.InternalServerError,
    exceptions.ServiceUnavailable,
    exceptions.TooManyRequests,
    exceptions.Unknown,
)
_EXPIRES = timedelta(days=1)
"""The least that Pub/Sub allows; for a subscription whose maker was killed."""


class Listener:
    """A thread that pulls answers and acknowledges them, until it is stopped or cannot go on."""

    def __init__(self, client: pubsub_v1.SubscriberClient, subscription: str, hear: Hear) -> None:
        self.failure: str | None = None
        """Why it cannot go on."""
        self._client = client
        self._subscription = subscription
        self._hear = hear
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._pull()
            except exceptions.DeadlineExceeded:
                continue  # nothing came
            except _PASSING:
                self._stopped.wait(_PAUSE_S)
            except Exception as error:
                self.failure = f"{self._subscription}: {told(error)}"
                return

    def _pull(self) -> None:
        response = self._client.pull(
            subscription=self._subscription,
            max_messages=_MOST_AT_ONCE,
            retry=None,
            timeout=_PULL_S,
        )
        now = time.monotonic()
        received = PullResponse.pb(response).received_messages
        if not received:
            return
        answers = [read_answer(each.message.attributes, each.message.data) for each in received]
        self._hear([answer for answer in answers if answer is not None], now)
        ids = [each.ack_id for each in received]
        self._client.acknowledge(subscription=self._subscription, ack_ids=ids)


@contextmanager
def listening(responses: str, hear: Hear) -> Iterator[Listener]:
    """Hears what arrives on a topic, by a subscription that lives no longer than this block, or on
    a subscription that is there already. Paths are full ones.

    Raises SendError where it cannot be heard.
    """
    client = pubsub_v1.SubscriberClient()
    temporary = "/topics/" in responses
    subscription = _subscribe(client, responses) if temporary else responses
    listener = Listener(client, subscription, hear)
    try:
        yield listener
    finally:
        listener.stop()
        if temporary:
            with suppress(exceptions.GoogleAPICallError):
                client.delete_subscription(subscription=subscription, timeout=_PULL_S)


def _subscribe(client: pubsub_v1.SubscriberClient, topic: str) -> str:
    project = topic.split("/")[1]
    path: str = client.subscription_path(project, f"send-{uuid.uuid4().hex[:12]}")
    lifetime = duration_pb2.Duration()
    lifetime.FromTimedelta(_EXPIRES)
    wanted = Subscription(name=path, topic=topic, expiration_policy={"ttl": lifetime})
    try:
        client.create_subscription(wanted, retry=None, timeout=10)
    except exceptions.GoogleAPICallError as error:
        raise SendError(f"{topic}: {told(error)}") from error
    return path
