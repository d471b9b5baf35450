"""What a file is made of, seen from its first bytes or its footer."""

from __future__ import annotations

import csv
import dataclasses
import difflib
import io
from collections.abc import Iterator, Sequence

from beam_jobs.objects import Objects
from beam_jobs.reading.csv_rows import quoting_of, record_ends_of
from beam_jobs.reading.errors import InputFileError
from beam_jobs.reading.framing import frame
from beam_jobs.reading.layout import SourceLayout
from beam_jobs.reading.parquet_rows import parquet_columns
from beam_jobs.reading.screening import screen
from beam_jobs.reading.streams import GZIP_MAGIC, is_gzip, text_bytes
from beam_jobs.runs.plan import InputObject
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import CsvFormat, JsonFormat, ParquetFormat

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES = 64 * 1024


def inspect(input_: InputSpec, object_: InputObject, objects: Objects) -> SourceLayout:
    """The layout of one input file.

    Raises InputFileError where the whole file cannot be used (a required column is missing, a
    column is not expected or there twice, the encoding is not UTF-8, gzip or Parquet is damaged)
    and ObjectChangedError where the pinned generation is gone. An empty file has no rows and is
    no error.
    """
    format_ = input_.format
    fields = tuple(field.name for field in input_.fields)
    if isinstance(format_, ParquetFormat):
        columns = parquet_columns(input_, object_, objects)
        extra = _checked(input_, object_, columns) if object_.size else ()
        return SourceLayout(object_, columns, extra)
    gzip = is_gzip(object_, format_)
    layout = SourceLayout(
        object=object_,
        columns=fields,
        data_start=_text_start(object_, objects, gzip),
        gzip=gzip,
        splittable=not gzip and not (isinstance(format_, CsvFormat) and format_.newlines_in_values),
    )
    if isinstance(format_, JsonFormat) or not format_.header:
        return layout
    header = _header(layout, objects, format_)
    if header is None:
        return dataclasses.replace(layout, columns=())
    columns, start = header
    extra = _checked(input_, object_, columns)
    return dataclasses.replace(layout, columns=columns, extra_columns=extra, data_start=start)


def _text_start(object_: InputObject, objects: Objects, gzip: bool) -> int:
    """Length of the byte order mark."""
    head = next(_head(object_, objects, gzip, 0), b"")
    if head.startswith(GZIP_MAGIC):
        raise InputFileError(
            object_.uri,
            "is compressed with gzip, which its name does not say",
            "name it with .gz, or set format.compression to gzip",
        )
    if head.startswith(_UTF16):
        raise InputFileError(object_.uri, "is encoded in UTF-16", "write the file as UTF-8")
    return len(_BOM) if head.startswith(_BOM) else 0


def _header(
    layout: SourceLayout, objects: Objects, format_: CsvFormat
) -> tuple[tuple[str, ...], int] | None:
    """Column names in the first line that is not blank, and where that line ends."""
    start = layout.data_start
    pieces = _head(layout.object, objects, layout.gzip, start)
    blocks = frame(pieces, start, record_ends_of(format_), format_.max_record_bytes)
    block = next(blocks, None)
    if block is None:
        return None
    first = dataclasses.replace(block, starts=block.starts[:1], ends=block.ends[:1])
    first = screen(first, quoting_of(format_))
    if first.dead:
        raise InputFileError(
            layout.object.uri,
            f"the header cannot be read: {first.dead[0].message}",
            "mend the first line; for a file without header set format.header to false",
        )
    line = io.StringIO(first.bytes_of(0).decode(), newline="")
    names = next(
        csv.reader(line, delimiter=format_.delimiter, quotechar=format_.quote)
        if format_.quote
        else csv.reader(line, delimiter=format_.delimiter, quoting=csv.QUOTE_NONE)
    )
    return tuple(name.strip() for name in names), first.offset + int(first.ends[0])


def _head(object_: InputObject, objects: Objects, gzip: bool, start: int) -> Iterator[bytes]:
    return text_bytes(object_, objects, gzip=gzip, start=start, stop=min(object_.size, _HEAD_BYTES))


def _checked(input_: InputSpec, object_: InputObject, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that are no field. Raises InputFileError where the columns do not do."""
    fields = {field.name: field for field in input_.fields}
    for name in fields:
        if columns.count(name) > 1:
            raise InputFileError(
                object_.uri, f"column {name!r} is there twice", "write the column once"
            )
    missing = [f.name for f in fields.values() if f.required and f.name not in columns]
    if missing:
        raise InputFileError(
            object_.uri, _missing(missing, columns), _remedy(input_, missing[0], columns)
        )
    extra = tuple(name for name in columns if name not in fields)
    if extra and input_.format.extra_columns == "fail":
        raise InputFileError(
            object_.uri,
            f"has columns that are no field of the contract: {_listed(extra)}",
            "declare them in input.fields, or set format.extra_columns to ignore",
        )
    return extra


def _missing(missing: list[str], columns: Sequence[str]) -> str:
    noun = "column" if len(missing) == 1 else "columns"
    return f"lacks the required {noun} {_listed(missing)}; it has {_listed(columns)}"


def _remedy(input_: InputSpec, name: str, columns: Sequence[str]) -> str:
    folded = {column.lower(): column for column in columns}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    if near:
        return f"rename {folded[near[0]]!r} to {name!r}, if that is it"
    if isinstance(input_.format, CsvFormat):
        return (
            f"write {name!r} into the header, make the field nullable or give it a default; "
            "for a file without header set format.header to false"
        )
    return f"write {name!r} into the file, make the field nullable or give it a default"


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
