"""Dead letters from a query into Parquet files that are named by what they hold."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.objects import Objects
from beam_jobs.runs.dead_letter import DEAD_LETTER_COLUMNS
from beam_jobs.runs.plan import LETTERS_PER_GROUP, RowsFile
from nightstream.replaying.trying import Sorting

_TYPES = {
    "score_date": pa.date32(),
    "payload": pa.binary(),
    "source_position": pa.int64(),
    "dead_at": pa.timestamp("us", "UTC"),
}
LETTER_SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in DEAD_LETTER_COLUMNS])


def write_letters(
    rows: Iterable[Mapping[str, Any]], sorting: Sorting, folder: str, objects: Objects
) -> tuple[RowsFile, RowsFile]:
    """The letters that are tried, and those that are left, as two objects in a folder.

    rows: by column of the dead-letter table, and `chosen`. The same rows make the same objects.
    """
    with _LettersFile() as tried, _LettersFile() as left:
        for row in rows:
            letter = {name: row[name] for name in DEAD_LETTER_COLUMNS}
            (tried if sorting.takes(letter, row["chosen"]) else left).add(letter)
        return tried.stored(folder, objects), left.stored(folder, objects)


class _LettersFile:
    """Letters on this disk, at most a row group of them in memory."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nightstream-")
        self._path = Path(self._folder.name) / "letters.parquet"
        self._writer = pq.ParquetWriter(
            self._path, LETTER_SCHEMA, compression="zstd", store_schema=False
        )
        self._pending: list[Mapping[str, Any]] = []
        self._rows = 0

    def add(self, letter: Mapping[str, Any]) -> None:
        self._pending.append(letter)
        if len(self._pending) == LETTERS_PER_GROUP:
            self._write()

    def stored(self, folder: str, objects: Objects) -> RowsFile:
        """Closes the file and puts it where its content says, unless it is there already."""
        if self._pending:
            self._write()
        self._writer.close()
        with self._path.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()
        uri = f"{folder}/{name}.parquet"
        if objects.stat(uri) is None:
            objects.put_file(uri, self._path)
        info = objects.stat(uri)
        assert info is not None
        return RowsFile(uri=uri, generation=info.generation, size=info.size, rows=self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._writer.close()
        self._folder.cleanup()

    def _write(self) -> None:
        group = pa.Table.from_pylist(self._pending, LETTER_SCHEMA)
        self._writer.write_table(group, row_group_size=len(self._pending))
        self._rows += len(self._pending)
        self._pending = []
