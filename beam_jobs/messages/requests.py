"""Who the requests of a micro-batch are."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from beam_jobs.rows import Payloads

REQUEST_SCHEMA = pa.schema(
    [
        ("request_id", pa.string()),
        ("message_id", pa.string()),
        ("position", pa.int64()),
        ("event_time", pa.timestamp("us", "UTC")),
        ("published_at", pa.timestamp("us", "UTC")),
    ]
)
"""One row per request. `position` is the request's place among those of its message, from 0; blank
lines are none. `event_time` may be null: then nothing is known but when it was published."""


@dataclass(frozen=True)
class Requests:
    """The requests of one micro-batch; a row's position in the batches that are made of them is
    its index here."""

    identity: pa.RecordBatch
    """REQUEST_SCHEMA."""
    payloads: Payloads
    """What was received, per request: a row that its table refuses is a dead letter with it."""
