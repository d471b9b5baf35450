"""What travels between the steps: Arrow batches that know where their rows came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from beam_jobs.rows import Indices, Payloads, ValidRows
from beam_jobs.runs.plan import InputObject


@dataclass(frozen=True)
class SourceRange:
    """A byte range [start, end) of one input object."""

    object: InputObject
    start: int
    end: int


@dataclass(frozen=True)
class ValidBatch:
    """Rows that keep the contract, on their way to the model, and those that fell out so far."""

    source: SourceRange
    rows: ValidRows
    """May be empty."""
    dead: pa.RecordBatch
    """DEAD_SCHEMA: rows that failed in reading or validation."""
    rows_in: int
    """Rows of the source that this batch accounts for, counted on the bytes."""

    @property
    def features(self) -> pa.RecordBatch:
        """What the model is given: a column for each field, its inputs among them."""
        return self.rows.batch


@dataclass(frozen=True)
class ScoredBatch:
    """Rows with their predictions, and the rows that were not scored."""

    source: SourceRange
    rows: pa.RecordBatch
    """One column per field of the contract."""
    outputs: pa.RecordBatch
    """One column per output of the model; as many rows as `rows`."""
    positions: pa.Array
    """int64 per scored row."""
    dead: pa.RecordBatch
    """DEAD_SCHEMA, of every stage."""
    rows_in: int
    scored_at: datetime
    """UTC."""


@dataclass(frozen=True)
class SlicedPayloads:
    """The payloads of a slice of rows."""

    whole: Payloads
    offset: int

    def take(self, indices: Indices) -> pa.Array:
        return self.whole.take([index + self.offset for index in indices])


def slices(batch: ValidBatch, max_rows: int) -> Iterator[ValidBatch]:
    """The same rows in batches of at most `max_rows`; dead rows and the count go with the first."""
    rows = batch.rows
    if rows.batch.num_rows <= max_rows:
        yield batch
        return
    for offset in range(0, rows.batch.num_rows, max_rows):
        part = ValidRows(
            rows.batch.slice(offset, max_rows),
            rows.positions.slice(offset, max_rows),
            SlicedPayloads(rows.payloads, offset),
        )
        if offset == 0:
            yield ValidBatch(batch.source, part, batch.dead, batch.rows_in)
        else:
            yield ValidBatch(batch.source, part, batch.dead.slice(0, 0), 0)
