"""Attributes by which a request that is sent again keeps the identity that it had.

Whoever replays dead letters sets them; a line that came with others is replayed alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MESSAGE_ID = "nightstream-message-id"
"""The id of the message in which the request first came."""
POSITION = "nightstream-position"
"""Its place in that message, from 0."""
PUBLISHED_AT = "nightstream-published-at"
"""When that message was published: ISO 8601, within the last three years."""
REQUEST_ID = "nightstream-request-id"
"""The request's name, wherever the spec says that it is found."""

RESERVED = frozenset({MESSAGE_ID, POSITION, PUBLISHED_AT, REQUEST_ID})

OLDEST = timedelta(days=3 * 365)
NEWEST = timedelta(days=1)
"""Clocks of publishers may be ahead."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FirstSent(NamedTuple):
    """In which message a request first came."""

    message_id: str
    position: int
    published_at: int
    """Microseconds since the epoch."""


class Mistake(NamedTuple):
    """An attribute or a field that cannot name or date its request."""

    field: str
    message: str


def first_sent(
    attributes: Mapping[str, str], own: FirstSent, now: datetime
) -> tuple[FirstSent, Mistake | None]:
    """What the reserved attributes say, `own` where they are silent or mistaken."""
    message_id = attributes.get(MESSAGE_ID, own.message_id)
    position = attributes.get(POSITION, str(own.position))
    published_at = own.published_at
    mistake = None
    if not message_id:
        message_id, mistake = own.message_id, Mistake(MESSAGE_ID, "the attribute is empty")
    if not (position.isascii() and position.isdigit() and len(position) <= 9):
        mistake = Mistake(POSITION, f"{position[:80]!r} is no position in a message")
        position = str(own.position)
    if (given := attributes.get(PUBLISHED_AT)) is not None:
        try:
            published_at = _plausible(given, now)
        except ValueError as error:
            mistake = Mistake(PUBLISHED_AT, f"{given[:80]!r} {error}")
    return FirstSent(message_id, int(position), published_at), mistake


def _plausible(text: str, now: datetime) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not ISO 8601") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not now - OLDEST <= moment <= now + NEWEST:
        raise ValueError("is not within the last three years")
    return (moment - _EPOCH) // timedelta(microseconds=1)
