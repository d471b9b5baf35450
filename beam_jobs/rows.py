"""Rows on their way from a file or a message to the model: parsed, valid, or dead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beam_jobs.runs.dead_letter import ErrorCode, Stage

Indices = Sequence[int] | npt.NDArray[np.int64]

DEAD_SCHEMA = pa.schema(
    [
        ("stage", pa.string()),
        ("error_code", pa.string()),
        ("error_field", pa.string()),
        ("error_message", pa.string()),
        ("payload", pa.binary()),
        ("position", pa.int64()),
    ]
)
"""Rows that were not scored: where and why they failed, what was received, and where it lay."""


class Payloads(Protocol):
    """The rows of a block as they were received; only rows that fail are ever taken."""

    def take(self, indices: Indices) -> pa.Array:
        """The raw bytes of those rows, a binary array."""


@dataclass(frozen=True)
class RowBlock:
    """Rows that could be parsed, not yet validated."""

    batch: pa.RecordBatch
    """One column per field in contract order, typed already or string to be cast."""
    positions: pa.Array
    """int64 per row: byte offset in the (decompressed) object, or row number in Parquet."""
    payloads: Payloads


@dataclass(frozen=True)
class ReadBlock:
    """A piece of an input object; `rows_in == rows.batch.num_rows + dead.num_rows`."""

    rows: RowBlock
    dead: pa.RecordBatch
    """DEAD_SCHEMA: records that could not be parsed."""
    rows_in: int
    """Records, counted on the bytes and not by the parser."""


@dataclass(frozen=True)
class ValidRows:
    """Rows that keep the contract, one typed column per field."""

    batch: pa.RecordBatch
    positions: pa.Array
    payloads: Payloads


@dataclass(frozen=True)
class DeadRow:
    """One row that was not scored."""

    stage: Stage
    code: ErrorCode
    message: str
    payload: bytes
    position: int | None
    field: str | None = None


def dead_batch(rows: Iterable[DeadRow] = ()) -> pa.RecordBatch:
    """The rows in DEAD_SCHEMA."""
    columns = [
        (row.stage.value, row.code.value, row.field, row.message, row.payload, row.position)
        for row in rows
    ]
    return pa.RecordBatch.from_arrays(
        [
            pa.array((row[index] for row in columns), field.type)
            for index, field in enumerate(DEAD_SCHEMA)
        ],
        schema=DEAD_SCHEMA,
    )


@dataclass(frozen=True)
class GivenPayloads:
    """Payloads that are at hand as an array, such as those of messages."""

    array: pa.Array

    def take(self, indices: Indices) -> pa.Array:
        return self.array.take(pa.array(indices, pa.int64()))
