"""What the pipeline sees of a Pub/Sub message: its element and its event time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apache_beam.io.gcp.pubsub import _PubSubSource
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils import windowed_value
from apache_beam.utils.timestamp import Timestamp

_GLOBAL = (GlobalWindow(),)

Decode = Callable[[Any], windowed_value.WindowedValue]


def decoder(source: _PubSubSource) -> Decode:
    """How that source turns a wire message into an element of the global window."""
    attribute = source.timestamp_attribute
    moment = (lambda message: event_micros(message, attribute)) if attribute else publish_micros
    if source.with_attributes:
        # The service too hands the whole message on, serialised.
        return lambda m: windowed_value.create(m.SerializeToString(), moment(m), _GLOBAL)
    return lambda m: windowed_value.create(m.data, moment(m), _GLOBAL)


def publish_micros(message: Any) -> int:
    """When the message was published, in microseconds since 1970."""
    time = message.publish_time
    return int(time.seconds) * 1_000_000 + int(time.nanos) // 1_000


def event_micros(message: Any, attribute: str) -> int:
    """What an attribute says, as milliseconds since 1970 or in RFC 3339; else the publish time.

    Raises ValueError for an attribute that is neither.
    """
    text = message.attributes.get(attribute)
    if text is None:
        return publish_micros(message)
    try:
        return int(text) * 1_000
    except ValueError:
        return int(Timestamp.from_rfc3339(text).micros)
