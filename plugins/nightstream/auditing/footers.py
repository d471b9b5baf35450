"""Reads how many rows Parquet files hold, from their last bytes alone."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import Objects, SeekableObject
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
    content = SeekableObject(objects, file.uri, file.size)
    try:
        with pq.ParquetFile(pa.PythonFile(content, mode="r")) as parquet:
            return int(parquet.metadata.num_rows)
    except pa.ArrowInvalid as error:
        return f"not a Parquet file: {error}"
