"""Reads how many rows Parquet files hold, from their last bytes alone."""

from __future__ import annotations

import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import Objects
from beam_jobs.runs.manifest import OutputFile

_READERS = 16


def footer_rows(files: Iterable[OutputFile], objects: Objects) -> dict[str, int | str]:
    """Rows of each file by URI, as its footer says; or why it could not be read."""
    listed = list(files)
    with ThreadPoolExecutor(_READERS) as readers:
        rows = readers.map(lambda file: _rows(file, objects), listed)
        return dict(zip((file.uri for file in listed), rows, strict=True))


def _rows(file: OutputFile, objects: Objects) -> int | str:
    info = objects.stat(file.uri)
    if info is None:
        return "the file is missing"
    if info.size != file.size:
        return f"the file has {info.size:,} bytes, {file.size:,} by the manifest"
    try:
        with pq.ParquetFile(pa.PythonFile(_Tail(file, objects), mode="r")) as parquet:
            return int(parquet.metadata.num_rows)
    except pa.ArrowInvalid as error:
        return f"not a Parquet file: {error}"


class _Tail(io.RawIOBase):
    """A file of which only what is asked for is read."""

    def __init__(self, file: OutputFile, objects: Objects) -> None:
        self._file = file
        self._objects = objects
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}
        self._position = base[whence] + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = self._file.size if size < 0 else min(self._position + size, self._file.size)
        data = b"".join(self._objects.chunks(self._file.uri, self._position, end))
        self._position += len(data)
        return data
