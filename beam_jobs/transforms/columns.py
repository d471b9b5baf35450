"""The columns of the job's output files, and how batches become rows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow as pa

from beam_jobs.contract.types import arrow_type
from beam_jobs.prediction.models import OUTPUT_TYPES
from beam_jobs.runs.plan import RunPlan
from beam_jobs.spec.service import ServiceSpec
from beam_jobs.transforms.elements import ScoredBatch, SourceRange

_UTC = pa.timestamp("us", "UTC")
_LABEL = pa.dictionary(pa.int32(), pa.string())
"""A string that is the same in every row of a batch: one value and an index, which costs next to
nothing to make and to write. In the Parquet file it is an ordinary string."""

DEAD_LETTER_SCHEMA = pa.schema(
    [
        ("score_date", pa.date32()),
        ("run_key", _LABEL),
        ("stage", pa.string()),
        ("error_code", pa.string()),
        ("error_field", pa.string()),
        ("error_message", pa.string()),
        ("payload", pa.binary()),
        ("source_uri", _LABEL),
        ("source_position", pa.int64()),
        ("model_version", _LABEL),
        ("dead_at", _UTC),
    ]
)


def prediction_schema(spec: ServiceSpec) -> pa.Schema:
    """The prediction table's columns, in its order."""
    return pa.schema(
        [
            ("score_date", pa.date32()),
            *((field.name, arrow_type(field.type)) for field in spec.input.fields),
            *((output.name, OUTPUT_TYPES[output.type]) for output in spec.model.outputs),
            ("deployed_model_id", pa.string()),
            ("model_version", _LABEL),
            ("scored_at", _UTC),
            ("run_key", _LABEL),
            ("source_uri", _LABEL),
            ("source_position", pa.int64()),
        ]
    )


@dataclass(frozen=True)
class Provenance:
    """What every row of a run says of where it came from."""

    score_date: date
    run_key: str
    model_version: str

    @classmethod
    def of(cls, plan: RunPlan) -> Provenance:
        return cls(plan.score_date, plan.run_key, plan.model.version)


def prediction_rows(
    batch: ScoredBatch[SourceRange], run: Provenance, schema: pa.Schema
) -> pa.RecordBatch:
    """The scored rows of a batch in the prediction table's schema."""
    rows = batch.rows.num_rows
    return pa.RecordBatch.from_arrays(
        [
            pa.repeat(pa.scalar(run.score_date, pa.date32()), rows),
            *batch.rows.columns,
            *batch.outputs_in_order_of(schema),
            batch.said_of_model("deployed_model_id"),
            _label(run.model_version, rows),
            _instant(batch.scored_at, rows),
            _label(run.run_key, rows),
            _label(batch.source.object.uri, rows),
            batch.positions,
        ],
        schema=schema,
    )


def dead_letter_rows(batch: ScoredBatch[SourceRange], run: Provenance) -> pa.RecordBatch:
    """The dead rows of a batch in the dead-letter table's schema."""
    dead = batch.dead
    rows = dead.num_rows
    return pa.RecordBatch.from_arrays(
        [
            pa.repeat(pa.scalar(run.score_date, pa.date32()), rows),
            _label(run.run_key, rows),
            dead.column("stage"),
            dead.column("error_code"),
            dead.column("error_field"),
            dead.column("error_message"),
            dead.column("payload"),
            _label(batch.source.object.uri, rows),
            dead.column("position"),
            _label(run.model_version, rows),
            _instant(batch.scored_at, rows),
        ],
        schema=DEAD_LETTER_SCHEMA,
    )


def _label(value: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([value], pa.string()))


def _instant(moment: datetime, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(moment, _UTC), rows)
