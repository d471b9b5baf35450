"""Messages with their names, in portions that one publish request takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

MOST_MESSAGES = 1000
"""In one publish request, as Pub/Sub allows."""
_MOST_BYTES = 8 * 1024 * 1024
"""In one publish request; Pub/Sub allows 10 MB, names and numbers included."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message before it is published."""

    data: bytes
    id: str | None = None
    """The request id that goes with it as an attribute."""


def numbered(payloads: Sequence[bytes], count: int, id_prefix: str | None) -> Iterator[Message]:
    """So many messages, the payloads over and over; ids are the prefix and a running number from
    0, none without a prefix."""
    for number, data in enumerate(islice(cycle(payloads), count)):
        yield Message(data, None if id_prefix is None else f"{id_prefix}{number}")


def portions(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """The same messages in order, in portions small enough for a request; a message that is too
    large for any is a portion of its own, for Pub/Sub to refuse."""
    portion: list[Message] = []
    size = 0
    for message in messages:
        full = len(portion) == MOST_MESSAGES or size + len(message.data) > _MOST_BYTES
        if portion and full:
            yield portion
            portion, size = [], 0
        portion.append(message)
        size += len(message.data)
    if portion:
        yield portion
