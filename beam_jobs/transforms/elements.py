"""What travels between the steps: Arrow batches that know where their rows came from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Self, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.messages.requests import Requests
from beam_jobs.prediction.live.served import ScoredBy
from beam_jobs.prediction.scoring import SAID_OF_MODEL
from beam_jobs.rows import Indices, Payloads, ValidRows
from beam_jobs.runs.plan import InputObject


@dataclass(frozen=True)
class SourceRange:
    """A byte range [start, end) of one input object."""

    object: InputObject
    start: int
    end: int


Source = TypeVar("Source")
"""Where the rows of a batch came from: a SourceRange at night, Requests in streaming."""


@dataclass(frozen=True)
class ValidBatch(Generic[Source]):
    """Rows that keep the contract, on their way to the model, and those that fell out so far."""

    source: Source
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

    @property
    def nbytes(self) -> int:
        return int(self.rows.batch.nbytes + self.dead.nbytes)


@dataclass(frozen=True)
class ScoredBatch(Generic[Source]):
    """Rows with their predictions, and the rows that were not scored."""

    source: Source
    rows: pa.RecordBatch
    """One column per field of the contract."""
    outputs: pa.RecordBatch
    """One column per output of the model, and what its endpoint says of it (SAID_OF_MODEL); as
    many rows as `rows`."""
    positions: pa.Array
    """int64 per scored row."""
    dead: pa.RecordBatch
    """DEAD_SCHEMA, of every stage."""
    rows_in: int
    scored_at: datetime
    """UTC."""

    @property
    def nbytes(self) -> int:
        return int(self.rows.nbytes + self.outputs.nbytes + self.dead.nbytes)

    def outputs_in_order_of(self, schema: pa.Schema) -> list[pa.Array]:
        """The outputs as a table's schema has them; a model may name them in another order."""
        names = [name for name in self.outputs.schema.names if name not in SAID_OF_MODEL]
        return [self.outputs.column(name) for name in schema.names if name in names]

    def said_of_model(self, name: str) -> pa.Array:
        """A column of SAID_OF_MODEL, null where nothing is said: string per scored row."""
        if name in self.outputs.schema.names:
            return self.outputs.column(name)
        return pa.nulls(self.outputs.num_rows, pa.string())


@dataclass(frozen=True)
class ScoredRequests(ScoredBatch[Requests]):
    """A micro-batch as it was scored, all of it by one model or by one endpoint."""

    scored_by: ScoredBy

    @classmethod
    def of(cls, batch: ScoredBatch[Requests], by: ScoredBy) -> Self:
        return cls(**vars(batch), scored_by=by)

    @property
    def model_versions(self) -> pa.Array:
        """The version that scored each row: as its endpoint says, else the pinned one."""
        return pc.fill_null(self.said_of_model("model_version"), self.scored_by.model_version)


@dataclass(frozen=True)
class SlicedPayloads:
    """The payloads of a slice of rows."""

    whole: Payloads
    offset: int

    def take(self, indices: Indices) -> pa.Array:
        return self.whole.take([index + self.offset for index in indices])


def slices(batch: ValidBatch[Source], max_rows: int) -> Iterator[ValidBatch[Source]]:
    """The same rows in the fewest batches of at most `max_rows`, all of about one size.

    The dead rows and the count go with the first.
    """
    rows = batch.rows
    total = rows.batch.num_rows
    if total <= max_rows:
        yield batch
        return
    size = math.ceil(total / math.ceil(total / max_rows))
    dead, rows_in = batch.dead, batch.rows_in
    for offset in range(0, total, size):
        part = ValidRows(
            rows.batch.slice(offset, size),
            rows.positions.slice(offset, size),
            SlicedPayloads(rows.payloads, offset),
        )
        yield ValidBatch(batch.source, part, dead, rows_in)
        dead, rows_in = dead.slice(0, 0), 0
