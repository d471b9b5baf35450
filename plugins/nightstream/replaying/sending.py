"""Requests that were not scored, as messages that keep the identity that they had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from beam_jobs.messages.reserved import MESSAGE_ID, OLDEST, POSITION, PUBLISHED_AT, REQUEST_ID
from beam_jobs.objects import Objects
from beam_jobs.runs.dead_letter import REDACTED
from beam_jobs.spec.streaming import StreamingSpec
from nightstream.replaying.outcomes import Outcome

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient

_AT_ONCE = 500
"""Messages that wait for their answers together."""
_PATIENCE_S = 60

Letter = Mapping[str, Any]
"""A row of the view of dead requests, by column."""


class SendingFailedError(Exception):
    """Not all requests could be sent; sending again repeats those that were, which is harmless."""


@dataclass(frozen=True)
class Message:
    """A request as it is sent again."""

    data: bytes
    attributes: dict[str, str]


@dataclass
class Resending:
    """The letters that are sent, and those that cannot be."""

    streaming: StreamingSpec
    objects: Objects
    now: datetime
    sent: list[Letter] = field(default_factory=list)
    """Without their payloads."""
    impossible: Counter[str] = field(default_factory=Counter)
    """Letters by why they cannot be sent."""

    def messages(self, letters: Iterable[Letter]) -> Iterator[Message]:
        """A message for each letter that can be sent; that one counts as sent."""
        for letter in letters:
            payload = self._payload(letter)
            reason = why_not(letter, payload, self.now)
            if reason or payload is None:
                self.impossible[reason] += 1
                continue
            yield Message(payload, attributes_of(letter, self.streaming))
            self.sent.append({name: letter[name] for name in letter if name != "payload"})

    def rows(self, dag_id: str, run_id: str) -> Iterator[Letter]:
        """One row of the replays' table for each letter that was sent."""
        for letter in self.sent:
            yield {
                "replayed_at": self.now,
                "source": "streaming",
                "outcome": str(Outcome.SENT),
                **{name: letter[name] for name in _IDENTITY},
                "dag_id": dag_id,
                "run_id": run_id,
            }

    def _payload(self, letter: Letter) -> bytes | None:
        if letter["payload_uri"] is None:
            payload: bytes | None = letter["payload"]
            return payload
        try:
            return self.objects.read(letter["payload_uri"])
        except FileNotFoundError:
            return None


_IDENTITY = ("error_code", "request_id", "message_id", "source_position", "published_at")


def why_not(letter: Letter, payload: bytes | None, now: datetime) -> str:
    """Why a letter cannot be sent again; empty where it can be."""
    if payload is None:
        return "its payload is gone"
    if not payload:
        return "its payload is empty"
    if REDACTED.encode() in payload:
        return "its payload is redacted"
    if letter["published_at"] < now - OLDEST:
        return f"it is older than {OLDEST.days} days, of which no request may say that it is"
    return ""


def attributes_of(letter: Letter, streaming: StreamingSpec) -> dict[str, str]:
    """What makes the message the request that it was: name, message, place, times."""
    attributes = {
        REQUEST_ID: letter["request_id"],
        MESSAGE_ID: letter["message_id"],
        POSITION: str(letter["source_position"]),
        PUBLISHED_AT: letter["published_at"].isoformat(),
    }
    if streaming.event_time.attribute and letter["event_time"]:
        attributes[streaming.event_time.attribute] = letter["event_time"].isoformat()
    return attributes


def publish(client: PublisherClient, topic: str, messages: Iterable[Message]) -> int:
    """Sends all messages to a topic (full name); how many. Raises SendingFailedError."""
    from google.api_core.exceptions import GoogleAPICallError

    waiting, sent = iter(messages), 0
    while portion := list(islice(waiting, _AT_ONCE)):
        futures = [client.publish(topic, one.data, **one.attributes) for one in portion]
        try:
            for future in futures:
                future.result(timeout=_PATIENCE_S)
        except (GoogleAPICallError, TimeoutError) as error:
            raise SendingFailedError(
                f"{topic}: {error!r}, after {sent} requests were sent. Remedy: clear this task"
            ) from error
        sent += len(portion)
    return sent
