"""Parquet files that grow batch by batch on the worker's disk and are uploaded when full."""

from __future__ import annotations

import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import Objects
from beam_jobs.runs.manifest import OutputFile

GROUP_ROWS = 512 * 1024
GROUP_BYTES = 128 * 1024**2
"""So much of Arrow data makes a row group; BigQuery loads groups of 16 MiB and more best."""

FILE_ROWS = 10_000_000
FILE_BYTES = 1024**3
"""A file that has reached either is closed, and the next one begun."""


class ParquetFiles:
    """The files that one bundle writes into a folder, under names that nobody else chooses.

    Row groups are encoded, and full files uploaded, in a thread beside the caller's, one at a
    time: at most two row groups are in memory. A failing upload fails a later call.
    """

    def __init__(self, folder: str, schema: pa.Schema, objects: Objects) -> None:
        self._folder = folder
        self._schema = schema
        self._objects = objects
        self._scratch = tempfile.TemporaryDirectory(prefix="nightstream-")
        self._path = Path(self._scratch.name) / "part.parquet"
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._thread = ThreadPoolExecutor(1, "parquet")
        self._task: Future[None] | None = None
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0
        self._written: list[OutputFile] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds rows."""
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        if self._pending_rows >= GROUP_ROWS or self._pending_bytes >= GROUP_BYTES:
            self._hand_over()

    def close(self, at_least_one: bool = False) -> tuple[OutputFile, ...]:
        """Uploads what is left; all files written, if need be one without rows."""
        try:
            if self._pending:
                self._hand_over()
            self._wait()
            if self._writer is not None or (at_least_one and not self._written):
                self._finish_file()
            return tuple(self._written)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Drops what is on this disk."""
        self._thread.shutdown()
        if self._writer is not None:
            self._writer.close()
        self._scratch.cleanup()

    def _hand_over(self) -> None:
        table = pa.Table.from_batches(self._pending, self._schema)
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0
        self._wait()
        self._task = self._thread.submit(self._append, table)

    def _wait(self) -> None:
        if self._task is not None:
            self._task.result()
            self._task = None

    def _append(self, group: pa.Table) -> None:
        self._open().write_table(group, row_group_size=group.num_rows)
        self._rows += group.num_rows
        if self._rows >= FILE_ROWS or self._path.stat().st_size >= FILE_BYTES:
            self._finish_file()

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            # Without the Arrow schema a label is read back as the plain string that it is.
            self._writer = pq.ParquetWriter(
                self._path, self._schema, compression="zstd", store_schema=False
            )
        return self._writer

    def _finish_file(self) -> None:
        self._open().close()
        uri = f"{self._folder}/part-{uuid4().hex}.parquet"
        self._objects.put_file(uri, self._path)
        size = self._path.stat().st_size
        self._written.append(OutputFile(uri=uri, rows=self._rows, size=size))
        self._path.unlink()
        self._writer, self._rows = None, 0
