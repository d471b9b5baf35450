"""Dead letters read again: each payload is one record, and is parsed as its file's records were."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from beam_jobs.contract.validation import SelectedPayloads
from beam_jobs.reading.csv_rows import CsvParser, quoting_of
from beam_jobs.reading.framing import Records
from beam_jobs.reading.json_rows import JsonParser
from beam_jobs.reading.layout import SourceLayout
from beam_jobs.reading.line_ends import Offsets
from beam_jobs.reading.quotes import Quoting
from beam_jobs.reading.reader import Parser
from beam_jobs.reading.screening import screen, take_out
from beam_jobs.rows import DeadRow, GivenPayloads, ReadBlock, RowBlock
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.runs.plan import ReplayedSource
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import CsvFormat, JsonFormat


class LetterReader:
    """Reads letters by the contract, their payloads written in one format."""

    def __init__(self, input_: InputSpec, format_: CsvFormat | JsonFormat) -> None:
        # Payloads of Parquet rows name every column that the contract had then.
        self._format = format_.model_copy(update={"extra_columns": "ignore"})
        self.input = input_.model_copy(update={"format": self._format})

    def read(self, source: ReplayedSource, payloads: pa.Array, positions: pa.Array) -> ReadBlock:
        """The letters of one input object, as rows at their old positions; none gets lost."""
        records = _joined(payloads)
        starts = records.starts
        block = self._parser(source).parse(self._screened(records))
        rows = np.searchsorted(starts, block.rows.positions)
        dead = np.searchsorted(starts, block.dead.column("position"))
        given = GivenPayloads(payloads)
        return ReadBlock(
            rows=RowBlock(
                block.rows.batch, positions.take(pa.array(rows)), SelectedPayloads(given, rows)
            ),
            dead=_with(
                block.dead, payload=given.take(dead), position=positions.take(pa.array(dead))
            ),
            rows_in=len(payloads),
        )

    def _parser(self, source: ReplayedSource) -> Parser:
        layout = SourceLayout(object=source.object, columns=source.columns)
        if isinstance(self._format, CsvFormat):
            return CsvParser(self.input, self._format, layout)
        return JsonParser(self.input, self._format, layout)

    def _screened(self, records: Records) -> Records:
        """The records without those that would run into the next, or be several."""
        quoting: Quoting | None = None
        if isinstance(self._format, CsvFormat):
            quoting = quoting_of(self._format)
        records = screen(records, quoting)
        if isinstance(self._format, CsvFormat) and self._format.newlines_in_values:
            return records
        broken = [
            index
            for index in range(len(records.starts))
            if _is_several_lines(records.bytes_of(index))
        ]
        dead = [_several_lines(records, index) for index in broken]
        return take_out(records, dead, np.array(broken, np.int64))


def _joined(payloads: pa.Array) -> Records:
    """The payloads one per line; all of them, also empty ones."""
    texts = payloads.to_pylist()
    sizes: Offsets = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(sizes + 1) - 1
    return Records(b"\n".join(texts), 0, ends - sizes, ends)


def _is_several_lines(payload: bytes) -> bool:
    return not payload or b"\n" in payload or b"\r" in payload


def _several_lines(records: Records, index: int) -> DeadRow:
    return DeadRow(
        Stage.READ,
        ErrorCode.UNBALANCED_QUOTE,
        "the payload is not one line, as the format wants it now",
        records.bytes_of(index),
        records.position(index),
    )


def _with(dead: pa.RecordBatch, **columns: pa.Array) -> pa.RecordBatch:
    for name, column in columns.items():
        index = dead.schema.get_field_index(name)
        dead = dead.set_column(index, dead.schema.field(index), column)
    return dead
