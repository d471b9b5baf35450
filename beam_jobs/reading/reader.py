"""One range of one input file, read to blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from beam_jobs.objects import Objects
from beam_jobs.reading.csv_rows import CsvParser, record_ends_of
from beam_jobs.reading.framing import RecordEnds, Records, frame
from beam_jobs.reading.json_rows import JsonParser
from beam_jobs.reading.layout import ByteRange, SourceLayout
from beam_jobs.reading.line_ends import line_ends
from beam_jobs.reading.parquet_rows import read_parquet
from beam_jobs.reading.streams import text_bytes
from beam_jobs.rows import ReadBlock
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import CsvFormat, ParquetFormat


class Parser(Protocol):
    def parse(self, records: Records) -> ReadBlock:
        """Rows of whole records; exactly as many rows and dead rows as there are records."""


def read(
    input_: InputSpec, layout: SourceLayout, range_: ByteRange, objects: Objects
) -> Iterator[ReadBlock]:
    """The rows that begin in a range, in blocks of a few MB and in the file's order.

    Over all ranges of `layout.ranges`, each record of the object comes exactly once, as a row or
    as a dead letter, whatever the ranges' size. Raises InputFileError where the file is damaged,
    ObjectChangedError where it is not the pinned generation; what came before counts for nothing.
    """
    format_ = input_.format
    if not layout.columns:
        return
    if isinstance(format_, ParquetFormat):
        yield from read_parquet(input_, layout, objects)
        return
    parser: Parser
    if isinstance(format_, CsvFormat):
        parser = CsvParser(input_, format_, layout)
        record_ends = record_ends_of(format_)
    else:
        parser = JsonParser(input_, format_, layout)
        record_ends = line_ends
    for records in _records(layout, range_, objects, record_ends, format_.max_record_bytes):
        yield parser.parse(records)


def _records(
    layout: SourceLayout,
    range_: ByteRange,
    objects: Objects,
    record_ends: RecordEnds,
    max_record_bytes: int,
) -> Iterator[Records]:
    """The records that begin in the range and after the header."""
    stop = range_.end if layout.splittable else None
    if stop is not None and layout.data_start >= stop:
        return iter(())
    # A record's beginning is known by the line end before it.
    inside = layout.splittable and range_.start > layout.data_start
    start = range_.start - 1 if inside else layout.data_start
    pieces = text_bytes(layout.object, objects, gzip=layout.gzip, start=start, stop=range_.end)
    return frame(pieces, start, record_ends, max_record_bytes, stop=stop, inside=inside)
