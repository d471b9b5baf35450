"""CSV records parsed by pyarrow, block by block.

A null token is null in every type, quoted or not. Strings keep their spaces. What text is legal
for which type says `contract.casting`; numbers, booleans and dates are converted here, where that
costs least, and a block in which some cell does not convert travels as text, for `validate` to
find that cell.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from beam_jobs.contract.types import arrow_type
from beam_jobs.reading.errors import InputFileError
from beam_jobs.reading.framing import RecordEnds, RecordPayloads, Records
from beam_jobs.reading.layout import SourceLayout
from beam_jobs.reading.line_ends import line_ends
from beam_jobs.reading.quotes import Quoting
from beam_jobs.reading.screening import compact, screen, take_out
from beam_jobs.rows import DeadRow, ReadBlock, RowBlock, dead_batch
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import CsvFormat

_TYPED_BY_PARSER = ("integer", "float", "boolean", "date")


class CsvParser:
    """Parses the records of one file."""

    def __init__(self, input_: InputSpec, format_: CsvFormat, layout: SourceLayout) -> None:
        self._uri = layout.object.uri
        self._format = format_
        self._quoting = quoting_of(format_)
        names = [field.name for field in input_.fields]
        self._text = pa.schema([(name, pa.string()) for name in names])
        self._typed = pa.schema(
            [
                (f.name, arrow_type(f.type) if f.type in _TYPED_BY_PARSER else pa.string())
                for f in input_.fields
            ]
        )
        # Columns nobody asked for may share a name; pyarrow must not take them for a field.
        self._columns = [
            name if name in names else f"{index} {name}"
            for index, name in enumerate(layout.columns)
        ]

    def parse(self, records: Records) -> ReadBlock:
        """The block's rows; records that are none are dead. Raises InputFileError."""
        rows_in = records.count
        # Line ends in quotes are known to the framing; then there is no quote left open.
        records = screen(records, None if self._format.newlines_in_values else self._quoting)
        invalid: list[pc.InvalidRow] = []
        batch = self._batch(records, invalid)
        if invalid:
            rows = [self._column_count(records, row) for row in invalid]
            records = take_out(records, rows, np.array([row.number - 1 for row in invalid]))
        if batch.num_rows != len(records.starts):
            raise InputFileError(
                self._uri,
                f"{len(records.starts)} records from byte {records.offset} on were parsed "
                f"as {batch.num_rows} rows",
                "check delimiter, quote and newlines_in_values of the input's format",
            )
        block = RowBlock(
            batch=batch,
            positions=pa.array(records.starts + records.offset),
            payloads=RecordPayloads(records.data, records.starts, records.ends),
        )
        return ReadBlock(block, dead_batch(records.dead), rows_in)

    def _batch(self, records: Records, invalid: list[pc.InvalidRow]) -> pa.RecordBatch:
        data = compact(records)
        if not data.size:
            return pa.RecordBatch.from_pylist([], schema=self._typed)
        try:
            return self._read(data, self._typed, invalid)
        except pa.ArrowInvalid:
            invalid.clear()
            return self._read(data, self._text, invalid)

    def _read(
        self, data: pa.Buffer, schema: pa.Schema, invalid: list[pc.InvalidRow]
    ) -> pa.RecordBatch:
        def skip(row: pc.InvalidRow) -> str:
            invalid.append(row)
            return "skip"

        format_ = self._format
        table = pc.read_csv(
            pa.BufferReader(data),
            # One block and one thread: rows are numbered, and measured to be fastest.
            read_options=pc.ReadOptions(
                column_names=self._columns, block_size=data.size + 1, use_threads=False
            ),
            parse_options=pc.ParseOptions(
                delimiter=format_.delimiter,
                quote_char=format_.quote or False,
                newlines_in_values=format_.newlines_in_values,
                invalid_row_handler=skip,
            ),
            convert_options=pc.ConvertOptions(
                column_types=schema,
                include_columns=schema.names,
                include_missing_columns=True,
                null_values=format_.null_tokens,
                true_values=format_.true_tokens,
                false_values=format_.false_tokens,
                strings_can_be_null=True,
            ),
        )
        return table.combine_chunks().to_batches()[0] if table.num_rows else _empty(table.schema)

    def _column_count(self, records: Records, row: pc.InvalidRow) -> DeadRow:
        index = row.number - 1
        return DeadRow(
            Stage.READ,
            ErrorCode.COLUMN_COUNT,
            f"the record has {row.actual_columns} values, not {row.expected_columns}",
            records.bytes_of(index),
            records.position(index),
        )


def quoting_of(format_: CsvFormat) -> Quoting | None:
    return None if format_.quote is None else Quoting(format_.delimiter, format_.quote)


def record_ends_of(format_: CsvFormat) -> RecordEnds:
    """How records of such a file are found."""
    quoting = quoting_of(format_)
    return quoting.record_ends if quoting and format_.newlines_in_values else line_ends


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)
