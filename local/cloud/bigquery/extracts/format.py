"""What every file format is to an extract job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa


@dataclass(frozen=True)
class Format:
    """`columns` are the DuckDB expressions that a file's rows are made of; `write` makes a file of
    their record batches."""

    columns: Sequence[str]
    content_type: str
    write: Callable[[BinaryIO, Iterable[pa.RecordBatch]], None]
