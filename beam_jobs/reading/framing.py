"""Records of a stream of bytes: where each begins and ends, found independently of any parser.

A range owns the records that begin in it: reading starts one byte early to find the first line
end, and goes on past the range's end until the last record is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from beam_jobs.reading.line_ends import Offsets, content_ends, line_ends
from beam_jobs.rows import DeadRow, Indices
from beam_jobs.runs.dead_letter import ErrorCode, Stage

PAYLOAD_BYTES = 64 * 1024
"""So much of a record that is too large is kept in its dead letter."""

RecordEnds = Callable[[bytes, bool], Offsets]
"""End offsets (line end included) of the records in a buffer that starts with one; the flag says
whether nothing follows the buffer."""


@dataclass(frozen=True)
class Records:
    """Whole records in a buffer. Blank lines are none."""

    data: bytes
    offset: int
    """Of the buffer in the (decompressed) object."""
    starts: Offsets
    ends: Offsets
    """Without line ends."""
    dead: tuple[DeadRow, ...] = ()
    """Records that could not even be held."""

    @property
    def count(self) -> int:
        return len(self.starts) + len(self.dead)

    def bytes_of(self, index: int) -> bytes:
        return self.data[self.starts[index] : self.ends[index]]

    def position(self, index: int) -> int:
        return self.offset + int(self.starts[index])


@dataclass(frozen=True)
class RecordPayloads:
    """The bytes of some records of a buffer."""

    data: bytes
    starts: Offsets
    ends: Offsets

    def take(self, indices: Indices) -> pa.Array:
        rows = np.asarray(indices, np.int64)
        spans = zip(self.starts[rows], self.ends[rows], strict=True)
        return pa.array((self.data[start:end] for start, end in spans), pa.binary())


@dataclass(frozen=True)
class _Overlong:
    """A line whose rest is passed over; `head` is None where it is not ours to report."""

    position: int
    head: bytes | None


def frame(
    pieces: Iterable[bytes],
    offset: int,
    record_ends: RecordEnds,
    max_record_bytes: int,
    *,
    stop: int | None = None,
    inside: bool = False,
) -> Iterator[Records]:
    """The records that begin before `stop`, in blocks, in memory bounded by a piece and a record.

    `offset`: of the first byte in the object. `inside`: it belongs to an earlier record, or is
    the line end of one. A record that does not end within `max_record_bytes`, or never, costs its
    first line alone, as a dead letter: reading goes on with the next line.
    """
    buffer = b""
    overlong = _Overlong(offset, None) if inside else None
    for piece, final in _with_final(pieces):
        buffer = buffer + piece if buffer else piece
        while buffer:
            if overlong is not None:
                lines = line_ends(buffer, final)
                if not len(lines):
                    kept = int(buffer.endswith(b"\r"))
                    offset += len(buffer) - kept
                    buffer = buffer[len(buffer) - kept :]
                    break
                if overlong.head is not None:
                    yield _passed_over(overlong, buffer, offset, lines[:1], max_record_bytes)
                offset, buffer = offset + int(lines[0]), buffer[lines[0] :]
                overlong = None
                if stop is not None and offset >= stop:
                    return
            ends = record_ends(buffer, final)
            block, consumed = _whole_records(buffer, offset, ends, max_record_bytes, stop)
            if block.count:
                yield block
            offset, buffer = offset + consumed, buffer[consumed:]
            if stop is not None and offset >= stop:
                return
            more = len(ends) > 0 and consumed < ends[-1]
            if not (more or (buffer and (final or len(buffer) - 1 > max_record_bytes))):
                break
            overlong = _Overlong(offset, buffer[:PAYLOAD_BYTES])


def _whole_records(
    data: bytes, offset: int, ends: Offsets, max_record_bytes: int, stop: int | None
) -> tuple[Records, int]:
    """The records up to the first that is too large or begins at `stop`, and where they end."""
    starts = np.concatenate([np.zeros(min(len(ends), 1), np.int64), ends[:-1]])
    contents = content_ends(data, starts, ends)
    sizes = contents - starts
    count = len(ends)
    if count and sizes.max() > max_record_bytes:
        count = int(np.argmax(sizes > max_record_bytes))
    if stop is not None:
        count = min(count, int(np.searchsorted(starts, stop - offset)))
    consumed = int(ends[count - 1]) if count else 0
    starts, contents, sizes = starts[:count], contents[:count], sizes[:count]
    if count and not sizes.min():
        starts, contents = starts[sizes > 0], contents[sizes > 0]
    return Records(data, offset, starts, contents), consumed


def _passed_over(
    overlong: _Overlong, data: bytes, offset: int, end: Offsets, max_record_bytes: int
) -> Records:
    """The dead letter of a line that begins a record without an end."""
    assert overlong.head is not None
    content = int(content_ends(data, np.zeros(1, np.int64), end)[0])
    length = offset + content - overlong.position
    if length > max_record_bytes:
        code = ErrorCode.RECORD_TOO_LARGE
        payload = overlong.head[:length]
        message = (
            f"the record is {length} bytes long, more than {max_record_bytes}; "
            f"its first {len(payload)} bytes are kept"
        )
    else:
        code = ErrorCode.UNBALANCED_QUOTE
        message = (
            "a quote opened in this line is not closed "
            f"before the file's end or within {max_record_bytes} bytes"
        )
        payload = data[:content]
    row = DeadRow(Stage.READ, code, message, payload, overlong.position)
    nothing = np.empty(0, np.int64)
    return Records(b"", overlong.position, nothing, nothing, (row,))


def _with_final(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    held: bytes | None = None
    for piece in pieces:
        if held is not None:
            yield held, False
        held = piece
    if held is not None:
        yield held, True
