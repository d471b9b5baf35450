"""Parquet files, columns by name, streamed batch by batch through ranged reads.

Positions are row numbers. A row that fails is kept as the JSON of its columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.contract.types import can_become, is_text
from beam_jobs.objects import Objects, SeekableObject
from beam_jobs.reading.errors import InputFileError
from beam_jobs.reading.layout import SourceLayout
from beam_jobs.reading.screening import is_utf8
from beam_jobs.rows import DeadRow, Indices, ReadBlock, RowBlock, dead_batch
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.runs.plan import InputObject
from beam_jobs.spec.service import InputSpec

_BATCH_ROWS = 65_536
_BUFFER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class JsonPayloads:
    """Rows of a batch, written as JSON when they are asked for."""

    batch: pa.RecordBatch

    def take(self, indices: Indices) -> pa.Array:
        rows = self.batch.take(pa.array(np.asarray(indices, np.int64))).to_pylist()
        return pa.array((json.dumps(row, default=str).encode() for row in rows), pa.binary())


def parquet_columns(input_: InputSpec, object_: InputObject, objects: Objects) -> tuple[str, ...]:
    """Names of the columns. Raises InputFileError where one cannot hold its field's type."""
    if not object_.size:
        return ()
    schema = _open(object_, objects).schema_arrow
    for field in input_.fields:
        found = schema.field(field.name).type if field.name in schema.names else None
        if found is not None and not can_become(found, field.type):
            raise InputFileError(
                object_.uri,
                f"column {field.name!r} holds {found}, which is no {field.type}",
                f"write the column as {field.type}, or declare another type",
            )
    return tuple(schema.names)


def read_parquet(input_: InputSpec, layout: SourceLayout, objects: Objects) -> Iterator[ReadBlock]:
    """All rows of the file, checked against the footer's count per row group.

    Raises InputFileError.
    """
    if not layout.object.size:
        return
    file = _open(layout.object, objects)
    fields = [field.name for field in input_.fields]
    columns = [name for name in fields if name in layout.columns]
    position = 0
    for group in range(file.num_row_groups):
        stated = file.metadata.row_group(group).num_rows
        end = position + stated
        for batch in _batches(file, group, columns, layout.object.uri):
            yield _read_block(batch, fields, position)
            position += batch.num_rows
        if position != end:
            raise InputFileError(
                layout.object.uri,
                f"row group {group} has {stated} rows by the footer, "
                f"{stated + position - end} were read",
                "write the file again",
            )


def _open(object_: InputObject, objects: Objects) -> pq.ParquetFile:
    pinned = SeekableObject(objects, object_.uri, object_.size, object_.generation)
    try:
        return pq.ParquetFile(pa.PythonFile(pinned, mode="r"), buffer_size=_BUFFER_BYTES)
    except pa.ArrowInvalid as error:
        raise _damaged(object_.uri, error) from error


def _batches(
    file: pq.ParquetFile, group: int, columns: list[str], uri: str
) -> Iterator[pa.RecordBatch]:
    try:
        yield from file.iter_batches(_BATCH_ROWS, [group], columns)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, pa.ArrowInvalid) or type(error) is OSError:  # Arrow's, not a socket's
            raise _damaged(uri, error) from error
        raise


def _damaged(uri: str, error: Exception) -> InputFileError:
    return InputFileError(uri, f"is no Parquet file, or damaged ({error})", "write the file again")


def _read_block(batch: pa.RecordBatch, fields: list[str], position: int) -> ReadBlock:
    rows_in = batch.num_rows
    positions = pa.array(np.arange(position, position + rows_in))
    wrong = _not_utf8(batch)
    dead = [
        DeadRow(
            Stage.READ,
            ErrorCode.NOT_UTF8,
            f"{name}: the value is not UTF-8",
            _row_as_json(batch, row),
            position + row,
            name,
        )
        for row, name in wrong.items()
    ]
    if wrong:
        kept = pa.array(np.setdiff1d(np.arange(rows_in), list(wrong)))
        batch, positions = batch.take(kept), positions.take(kept)
    columns = [
        batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows)
        for name in fields
    ]
    rows = RowBlock(
        pa.RecordBatch.from_arrays(columns, names=fields), positions, JsonPayloads(batch)
    )
    return ReadBlock(rows, dead_batch(dead), rows_in)


def _not_utf8(batch: pa.RecordBatch) -> dict[int, str]:
    """Rows with text that is not UTF-8, which Parquet readers let pass, and the column."""
    wrong: dict[int, str] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            for row, value in enumerate(_as_bytes(column)):
                if value is not None and not is_utf8(value):
                    wrong.setdefault(row, name)
    return wrong


def _row_as_json(batch: pa.RecordBatch, row: int) -> bytes:
    """The row as JSON, bytes that are no text written as escapes."""
    columns = {name: _as_bytes(batch.column(name).slice(row, 1))[0] for name in batch.schema.names}
    return json.dumps(
        {
            name: value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
            for name, value in columns.items()
        },
        default=str,
    ).encode()


def _as_bytes(column: pa.Array) -> list[Any]:
    """Python values of the column, text as bytes."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[Any] = (
        column.cast(pa.large_binary()) if is_text(column.type) else column
    ).to_pylist()
    return values
