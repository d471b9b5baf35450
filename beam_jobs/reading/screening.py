"""Records taken out before the parser sees them: it would refuse the block, or merge rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from beam_jobs.reading.framing import Records
from beam_jobs.reading.line_ends import Offsets
from beam_jobs.reading.quotes import Quoting
from beam_jobs.rows import DeadRow
from beam_jobs.runs.dead_letter import ErrorCode, Stage

_LONGEST_LINE_END = 2


def screen(records: Records, quoting: Quoting | None = None) -> Records:
    """The records without those that hold NUL bytes, invalid UTF-8, or (where quoting is given)
    a quote left open; these are added to the dead ones. Most blocks pass in three searches."""
    records = _without(records, _with_nul(records), ErrorCode.NUL_BYTE, "holds a NUL byte")
    records = _without(
        records, _not_utf8(records), ErrorCode.NOT_UTF8, "holds bytes that are not UTF-8"
    )
    if quoting is None:
        return records
    return _without(
        records,
        quoting.unclosed(records.data, records.starts, records.ends),
        ErrorCode.UNBALANCED_QUOTE,
        "ends inside quotes",
    )


def take_out(records: Records, rows: Iterable[DeadRow], indices: Offsets) -> Records:
    """The records without those of the given indices, and with the given dead rows."""
    return dataclasses.replace(
        records,
        starts=np.delete(records.starts, indices),
        ends=np.delete(records.ends, indices),
        dead=(*records.dead, *rows),
    )


def compact(records: Records) -> pa.Buffer:
    """The bytes of the records alone, one per line; not a copy unless records were taken out.

    A block that begins like a byte order mark gets a blank line before it: in the middle of a
    file it is none, but a parser would swallow it.
    """
    data, starts, ends = records.data, records.starts, records.ends
    if not len(starts):
        return pa.py_buffer(b"")
    gaps = np.flatnonzero(starts[1:] - ends[:-1] > _LONGEST_LINE_END)
    first = starts[np.concatenate([[0], gaps + 1])]
    last = ends[np.concatenate([gaps, [len(ends) - 1]])]
    marked = data[first[0] : first[0] + 3] == b"\xef\xbb\xbf"
    if len(first) == 1 and not marked:
        return pa.py_buffer(data)[first[0] : last[0]]
    runs = [data[start:end] for start, end in zip(first, last, strict=True)]
    return pa.py_buffer(b"\n".join([b"", *runs] if marked else runs))


def _without(records: Records, bad: list[int], code: ErrorCode, what: str) -> Records:
    if not bad:
        return records
    rows = [
        DeadRow(
            Stage.READ,
            code,
            f"the record {what}",
            records.bytes_of(index),
            records.position(index),
        )
        for index in bad
    ]
    return take_out(records, rows, np.array(bad))


def _with_nul(records: Records) -> list[int]:
    if b"\0" not in records.data:
        return []
    nuls = np.flatnonzero(np.frombuffer(records.data, np.uint8) == 0)
    return _holding(records, nuls)


def _not_utf8(records: Records) -> list[int]:
    if records.data.isascii() or is_utf8(records.data):
        return []
    beyond_ascii = np.flatnonzero(np.frombuffer(records.data, np.uint8) >= 0x80)
    suspects = _holding(records, beyond_ascii)
    return [index for index in suspects if not is_utf8(records.bytes_of(index))]


def _holding(records: Records, offsets: Offsets) -> list[int]:
    """The records in which any of these bytes lie."""
    if not len(records.starts):
        return []
    index = np.maximum(np.searchsorted(records.starts, offsets, "right") - 1, 0)
    inside = (records.starts[index] <= offsets) & (offsets < records.ends[index])
    return [int(i) for i in np.unique(index[inside])]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
