"""What each request is called and when it happened.

Its name is, in this order: the attribute `nightstream-request-id`; the attribute that the spec
names; the field that the spec names; `<message id>-<position>`. An attribute of a message that
holds several requests names each of them `<attribute>-<position>`. What is empty or null names
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.contract.casting import Mask
from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.instants import UTC_INSTANT, from_text
from beam_jobs.messages.records import FoundRequests
from beam_jobs.messages.requests import REQUEST_SCHEMA, Requests
from beam_jobs.messages.reserved import REQUEST_ID, RESERVED, FirstSent, Mistake, first_sent
from beam_jobs.spec.streaming import StreamingSpec

LONGEST_NAME = 1_024
"""Bytes of a request's name, as of a value of an attribute."""

_NO_TEXT = pa.scalar(None, pa.string())
_NO_TIME = "is no time between the years 1 and 9999"


class NamingFields(NamedTuple):
    """What the fields say that the spec names, per request; null where they say nothing."""

    request_id: pa.Array
    """string"""
    event_time: pa.Array
    """UTC_INSTANT"""
    undated: Mask
    """Where the field holds something, but no time."""


@dataclass(frozen=True)
class Identified:
    """The requests, each with a name; some of them are named or dated wrongly."""

    requests: Requests
    mistakes: dict[int, Mistake]
    """By request."""


def identify(
    spec: StreamingSpec,
    messages: MessageBatch,
    found: FoundRequests,
    fields: NamingFields,
    now: datetime,
) -> Identified:
    """Every request has a name, a message, a position and a time of publishing, also where what
    should say so is mistaken: then it is called as if that had not been there."""
    sent, by_message = _first_sent(messages, now)
    message = pa.array(found.message)
    message_id = pa.array([one.message_id for one in sent], pa.string()).take(message)
    position = pc.add(
        pa.array(found.position), pa.array([one.position for one in sent]).take(message)
    )
    published_at = pa.array([one.published_at for one in sent], pa.int64()).take(message)

    given = _given_names(spec, messages, found, position)
    name, too_long = _field_names(given, fields)
    by_default = pc.binary_join_element_wise(message_id, position.cast(pa.string()), "-")
    event_time, undated = _event_times(spec, messages, message, fields)

    mistakes = {**too_long, **undated}
    for index, mistake in by_message.items():
        mistakes |= dict.fromkeys(np.flatnonzero(found.message == index).tolist(), mistake)
    identity = pa.RecordBatch.from_arrays(
        [
            pc.coalesce(given, name, by_default),
            message_id,
            position,
            event_time,
            published_at.cast(UTC_INSTANT),
        ],
        schema=REQUEST_SCHEMA,
    )
    return Identified(Requests(identity, found.payloads), mistakes)


def _first_sent(
    messages: MessageBatch, now: datetime
) -> tuple[list[FirstSent], dict[int, Mistake]]:
    sent = [
        FirstSent(message_id, 0, published_at)
        for message_id, published_at in zip(
            messages.message_ids, messages.published_at, strict=True
        )
    ]
    mistakes: dict[int, Mistake] = {}
    for index, attributes in enumerate(messages.attributes):
        if attributes and not RESERVED.isdisjoint(attributes):
            sent[index], mistake = first_sent(attributes, sent[index], now)
            if mistake is not None:
                mistakes[index] = mistake
    return sent, mistakes


def _given_names(
    spec: StreamingSpec, messages: MessageBatch, found: FoundRequests, position: pa.Array
) -> pa.Array:
    """The names by attribute, null where there is none."""
    given = _attribute(messages, REQUEST_ID, spec.request_id.attribute)
    given = given.take(pa.array(found.message))
    if len(found.message) == len(messages):
        return given
    numbered = pc.binary_join_element_wise(given, position.cast(pa.string()), "-")
    several = np.bincount(found.message)[found.message] > 1
    return pc.if_else(pa.array(several), numbered, given)


def _field_names(given: pa.Array, fields: NamingFields) -> tuple[pa.Array, dict[int, Mistake]]:
    """The names by field, null where there is none that will do."""
    names = fields.request_id
    if names.null_count == len(names):
        return names, {}
    length = pc.binary_length(names)
    will_do = pc.and_(pc.greater(length, 0), pc.less_equal(length, LONGEST_NAME))
    too_long = pc.and_(given.is_null(), pc.fill_null(pc.greater(length, LONGEST_NAME), False))
    mistake = Mistake("request_id", f"the field is longer than {LONGEST_NAME} bytes")
    return pc.if_else(will_do, names, _NO_TEXT), dict.fromkeys(_where(too_long), mistake)


def _event_times(
    spec: StreamingSpec, messages: MessageBatch, message: pa.Array, fields: NamingFields
) -> tuple[pa.Array, dict[int, Mistake]]:
    """When the requests happened, null where nothing says so that can be used."""
    texts = _attribute(messages, spec.event_time.attribute).take(message)
    times, failed = from_text(texts)
    mistakes = {
        index: Mistake("event_time", f"the attribute {texts[index].as_py()[:80]!r} {_NO_TIME}")
        for index in np.flatnonzero(failed).tolist()
    }
    undated = pc.and_(texts.is_null(), pa.array(fields.undated))
    mistakes |= dict.fromkeys(_where(undated), Mistake("event_time", f"the field {_NO_TIME}"))
    return pc.if_else(texts.is_null(), fields.event_time, times), mistakes


def _attribute(messages: MessageBatch, *names: str | None) -> pa.Array:
    """Of each message the first of those attributes that is not empty."""
    values: Sequence[str | None] = [None] * len(messages)
    for name in reversed([name for name in names if name is not None]):
        values = [
            attributes.get(name) or other
            for attributes, other in zip(messages.attributes, values, strict=True)
        ]
    return pa.array(values, pa.string())


def _where(flags: pa.BooleanArray) -> list[int]:
    found: list[int] = np.flatnonzero(flags.to_numpy(zero_copy_only=False)).tolist()
    return found
