"""What is known of one input file before its rows are read."""

from __future__ import annotations

from dataclasses import dataclass

from beam_jobs.runs.plan import InputObject


@dataclass(frozen=True)
class ByteRange:
    """Bytes [start, end) of an object; it owns the records that begin in it."""

    start: int
    end: int


@dataclass(frozen=True)
class SourceLayout:
    """One input file: its columns, where its records begin, and whether it can be split."""

    object: InputObject
    columns: tuple[str, ...]
    """As the file names them, in the file's order; empty where the file holds nothing."""
    extra_columns: tuple[str, ...] = ()
    """Columns of the file that are no field of the contract; they are not read."""
    data_start: int = 0
    """Offset after BOM and header, in the decompressed bytes."""
    gzip: bool = False
    splittable: bool = False

    def ranges(self, split_bytes: int) -> list[ByteRange]:
        """Ranges that tile [0, size) of the object exactly; one where it cannot be split."""
        size = self.object.size
        step = split_bytes if self.splittable else max(size, 1)
        starts = range(0, max(size, 1), step)
        return [ByteRange(start, min(start + step, size)) for start in starts]
