"""Pub/Sub messages as the streaming job is handed them, and what it reads of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from google.pubsub_v1.types import PubsubMessage

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.reading import MessageReader, ReadRequests
from tests.support.specs import a_service

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PUBLISHED = datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC)

FIELDS = [
    {"name": "id", "type": "string", "passthrough": True, "nullable": True},
    {"name": "number", "type": "integer", "passthrough": True, "nullable": True},
    {"name": "born", "type": "timestamp", "passthrough": True, "nullable": True},
    {"name": "day", "type": "date", "passthrough": True, "nullable": True},
    {"name": "first", "type": "boolean", "passthrough": True, "nullable": True},
    {"name": "weeks", "type": "float", "range": [0, 100]},
]
"""A field of every type; all but `weeks` may be null."""
CSV = {"type": "csv", "header": False}


def a_reader(**streaming: Any) -> MessageReader:
    """Reads messages of a service with FIELDS; `streaming` adds keys to its section."""
    declared = {"topic": "requests", "subscription": "requests-sub", **streaming}
    spec = a_service(input={"fields": FIELDS}, streaming=declared)
    assert spec.streaming is not None
    return MessageReader(spec, spec.streaming)


def a_batch(*payloads: bytes, attributes: Mapping[str, str] | None = None) -> MessageBatch:
    """Messages m0, m1, …, all published at PUBLISHED and with the same attributes."""
    return MessageBatch(
        payloads=list(payloads),
        attributes=[attributes or {} for _ in payloads],
        message_ids=[f"m{number}" for number in range(len(payloads))],
        published_at=[_micros(PUBLISHED) for _ in payloads],
    )


def a_message(
    payload: bytes, message_id: str = "m0", published: datetime = PUBLISHED, **attributes: str
) -> bytes:
    """A message as Pub/Sub serialises it."""
    message = PubsubMessage(
        data=payload, attributes=attributes, message_id=message_id, publish_time=published
    )
    serialized: bytes = PubsubMessage.serialize(message)
    return serialized


def a_request(weeks: Any = 40, **fields: Any) -> bytes:
    """A JSON payload."""
    return json.dumps({"weeks": weeks, **fields}).encode()


def outcomes(read: ReadRequests) -> list[dict[str, Any]]:
    """What became of each request, in their order: its identity with the row or the reason."""
    identity = read.requests.identity.to_pylist()
    rows = dict(zip(read.valid.positions.to_pylist(), read.valid.batch.to_pylist(), strict=True))
    dead = {row.pop("position"): row for row in read.dead.to_pylist()}
    assert not rows.keys() & dead.keys()
    assert rows.keys() | dead.keys() == set(range(len(identity)))
    assert len(rows) + len(dead) == read.valid.batch.num_rows + read.dead.num_rows
    return [
        {**who, "row": rows.get(index), "dead": dead.get(index)}
        for index, who in enumerate(identity)
    ]


def codes(read: ReadRequests) -> list[str | None]:
    """Of each request the reason why it is dead, None where it is valid."""
    return [outcome["dead"] and outcome["dead"]["error_code"] for outcome in outcomes(read)]


def column(read: ReadRequests, name: str) -> list[Any]:
    """A column of the requests' identity."""
    values: pa.Array = read.requests.identity.column(name)
    return list(values.to_pylist())


def _micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
