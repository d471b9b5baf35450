"""Requests published at an even rate while something goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from google.cloud.pubsub_v1 import PublisherClient as Publisher
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

from tests.support.background import Background
from tests.support.live_service import LiveService
from tests.support.patience import PATIENCE_S
from tests.support.pubsub_emulator import Paths

_TICK_S = 0.02


def a_sound_request(number: int) -> bytes:
    """One that is scored."""
    return json.dumps({"id": f"k{number}", "weeks": 20 + number % 25}).encode()


def publish_together(service: LiveService, prefix: str, weeks: Sequence[float]) -> list[str]:
    """Requests with those weeks in one call, so that the job finds all of them at once; their
    names, `<prefix>-<number>`."""
    messages = [
        PubsubMessage(
            data=json.dumps({"weeks": value}).encode(), attributes={"request_id": f"{prefix}-{n}"}
        )
        for n, value in enumerate(weeks)
    ]
    publisher = PublisherClient(transport=service.pubsub.publisher().transport)
    publisher.publish(topic=service.paths.topic, messages=messages)
    return [message.attributes["request_id"] for message in messages]


class HasPublisher(Protocol):
    def publisher(self) -> Publisher: ...


class TakesRequests(Protocol):
    """Where requests can be published."""

    @property
    def pubsub(self) -> HasPublisher: ...

    @property
    def paths(self) -> Paths: ...


class Load(Background):
    """Publishes requests from a thread of its own for as long as its block is being run.

    A request's name is `<prefix>-<number>`. After the block, all of them have been published.
    """

    def __init__(
        self,
        service: TakesRequests,
        prefix: str,
        rate: float = 200,
        payload: Callable[[int], bytes] = a_sound_request,
    ) -> None:
        super().__init__()
        self._publisher = service.pubsub.publisher()
        self._topic = service.paths.topic
        self._prefix = prefix
        self._rate = rate
        self._payload = payload
        self._sent: list[Future[Any]] = []

    def _ended(self, error: BaseException | None) -> None:  # noqa: ARG002
        for future in self._sent:
            future.result(PATIENCE_S)

    @property
    def ids(self) -> list[str]:
        """Names of the requests published so far."""
        return [self._name(number) for number in range(len(self._sent))]

    def await_next(self) -> str:
        """Waits until another request is published; its name."""
        number = len(self._sent)
        while len(self._sent) <= number:
            time.sleep(_TICK_S)
        return self._name(number)

    def _name(self, number: int) -> str:
        return f"{self._prefix}-{number}"

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._over.wait(_TICK_S):
            due = int((time.monotonic() - begun) * self._rate)
            for number in range(len(self._sent), due):
                self._sent.append(
                    self._publisher.publish(
                        self._topic, self._payload(number), request_id=self._name(number)
                    )
                )
