"""The columns of the streaming job's tables, and how batches become rows of them."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.contract.types import arrow_type
from beam_jobs.prediction.models import OUTPUT_TYPES
from beam_jobs.spec.service import ServiceSpec
from beam_jobs.transforms.elements import ScoredRequests

_UTC = pa.timestamp("us", "UTC")

LIVE_DEAD_LETTER_SCHEMA = pa.schema(
    [
        ("request_id", pa.string()),
        ("stage", pa.string()),
        ("error_code", pa.string()),
        ("error_field", pa.string()),
        ("error_message", pa.string()),
        ("payload", pa.binary()),
        ("payload_uri", pa.string()),
        ("message_id", pa.string()),
        ("source_uri", pa.string()),
        ("source_position", pa.int64()),
        ("event_time", _UTC),
        ("published_at", _UTC),
        ("model_version", pa.string()),
        ("dead_at", _UTC),
        ("revision", pa.string()),
    ]
)
"""A payload too large for a row lies in GCS, at `payload_uri`. `source_uri` is the subscription,
`source_position` the line in the message."""


def live_prediction_schema(spec: ServiceSpec) -> pa.Schema:
    """The live prediction table's columns, in its order."""
    return pa.schema(
        [
            ("request_id", pa.string()),
            *((field.name, arrow_type(field.type)) for field in spec.input.fields),
            *((output.name, OUTPUT_TYPES[output.type]) for output in spec.model.outputs),
            ("deployed_model_id", pa.string()),
            ("model_version", pa.string()),
            ("message_id", pa.string()),
            ("source_uri", pa.string()),
            ("source_position", pa.int64()),
            ("event_time", _UTC),
            ("published_at", _UTC),
            ("scored_at", _UTC),
            ("revision", pa.string()),
        ]
    )


def live_prediction_rows(
    batch: ScoredRequests, subscription: str, schema: pa.Schema
) -> pa.RecordBatch:
    """The scored rows of a micro-batch in the live prediction table's schema.

    subscription: full name of where they were read.
    """
    rows = batch.rows.num_rows
    who = batch.source.identity.take(batch.positions)
    return pa.RecordBatch.from_arrays(
        [
            who.column("request_id"),
            *batch.rows.columns,
            *batch.outputs_in_order_of(schema),
            batch.said_of_model("deployed_model_id"),
            batch.model_versions,
            who.column("message_id"),
            pa.repeat(subscription, rows),
            who.column("position"),
            _event_time(who),
            who.column("published_at"),
            _instant(batch.scored_at, rows),
            pa.repeat(batch.scored_by.revision, rows),
        ],
        schema=schema,
    )


def live_dead_letter_rows(batch: ScoredRequests, subscription: str) -> pa.RecordBatch:
    """The dead requests of a micro-batch in the live dead-letter table's schema."""
    dead = batch.dead
    rows = dead.num_rows
    who = batch.source.identity.take(dead.column("position"))
    return pa.RecordBatch.from_arrays(
        [
            who.column("request_id"),
            dead.column("stage"),
            dead.column("error_code"),
            dead.column("error_field"),
            dead.column("error_message"),
            dead.column("payload"),
            pa.nulls(rows, pa.string()),
            who.column("message_id"),
            pa.repeat(subscription, rows),
            who.column("position"),
            _event_time(who),
            who.column("published_at"),
            pa.repeat(batch.scored_by.model_version, rows),
            _instant(batch.scored_at, rows),
            pa.repeat(batch.scored_by.revision, rows),
        ],
        schema=LIVE_DEAD_LETTER_SCHEMA,
    )


def _event_time(who: pa.RecordBatch) -> pa.Array:
    """A request that does not say when it happened happened when it was published."""
    return pc.coalesce(who.column("event_time"), who.column("published_at"))


def _instant(moment: datetime, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(moment, _UTC), rows)
