"""Publish requests to one topic, several under way at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from beam_jobs.send.errors import SendError
from beam_jobs.send.messages import Message, portions

_UNDER_WAY = 8
_PATIENCE_S = 10

# The protobuf types themselves: making a message is several times cheaper than by their wrappers.
_Request = PublishRequest.pb()
_Message = PubsubMessage.pb()


class Publisher:
    """Publishes messages to a topic; a context manager, at whose end all requests are answered.

    Every call of `publish` becomes requests of its own at once: the client library's batching,
    which collects single messages, costs more than twice the processor time.
    """

    def __init__(self, topic: str, id_attribute: str) -> None:
        """Raises SendError when the topic cannot be reached."""
        self._topic = topic
        self._id_attribute = id_attribute
        # The library's publisher knows of PUBSUB_EMULATOR_HOST; the plain client publishes.
        self._client = PublisherClient(transport=pubsub_v1.PublisherClient().transport)
        self._threads = ThreadPoolExecutor(_UNDER_WAY, thread_name_prefix="publish")
        self._free = threading.Semaphore(_UNDER_WAY)
        self._lock = threading.Lock()
        self._accepted = 0
        self._failure: Exception | None = None
        self._find_topic()

    @property
    def accepted(self) -> int:
        """Messages that Pub/Sub has taken."""
        return self._accepted

    @property
    def failure(self) -> str | None:
        """Why the first request that failed did."""
        return None if self._failure is None else f"{self._topic}: {told(self._failure)}"

    def publish(self, messages: Sequence[Message]) -> bool:
        """Hands messages over, waiting while too many requests are under way. Answers False, and
        publishes nothing more, once a request has failed."""
        for portion in portions(messages):
            self._free.acquire()
            if self._failure is not None:
                self._free.release()
                return False
            self._threads.submit(self._request, portion)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=error is not None)

    def _request(self, portion: list[Message]) -> None:
        messages = [
            _Message(
                data=message.data,
                attributes={} if message.id is None else {self._id_attribute: message.id},
            )
            for message in portion
        ]
        try:
            self._client.publish(
                PublishRequest.wrap(_Request(topic=self._topic, messages=messages))
            )
        except Exception as error:
            self._failure = self._failure or error
        else:
            with self._lock:
                self._accepted += len(portion)
        finally:
            self._free.release()

    def _find_topic(self) -> None:
        try:
            self._client.get_topic(topic=self._topic, retry=None, timeout=_PATIENCE_S)
        except GoogleAPICallError as error:
            raise SendError(f"{self._topic}: {told(error)}") from error


def told(error: Exception) -> str:
    """What Pub/Sub said, on one line."""
    if isinstance(error, RetryError):
        error = error.cause or error
    if isinstance(error, GoogleAPICallError):
        return f"{error.code} {error.message}".strip()
    return repr(error)
