"""insertAll in batches of 500, into an empty table and into one of a million rows."""

from __future__ import annotations

import statistics
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.cloud import bigquery

from tests.bench.cloud.table import BenchTables
from tests.bench.result import Result
from tests.bench.workshop import Workshop

_BATCH = 500
_BATCHES = 100


def measure_speed(workshop: Workshop) -> Result:
    """Rows a second of one client, the slower of both tables."""
    empty, full = _rows_per_second(workshop)
    return Result(
        name="insertAll, batches of 500",
        value=min(empty, full),
        unit="rows/s",
        target=10_000,
        at_least=True,
        details={"empty_table_per_s": empty, "million_rows_per_s": full},
    )


def measure_flatness(workshop: Workshop) -> Result:
    """By how much an insert into the full table takes longer."""
    empty, full = _rows_per_second(workshop)
    return Result(
        name="insertAll, million rows / empty table", value=empty / full, unit="x", target=1.2
    )


@cache
def _rows_per_second(workshop: Workshop) -> tuple[float, float]:
    """Into the empty and into the full table: of the median batch, the tables taking turns."""
    with TemporaryDirectory() as folder:
        tables = BenchTables(workshop, Path(folder))
        targets = [tables.empty("inserted"), tables.empty("inserted_full")]
        tables.load(targets[1])
        turns = [
            [_insert_seconds(tables.client, table, turn) for table in targets]
            for turn in range(_BATCHES)
        ]
    empty, full = (_BATCH / statistics.median(times) for times in zip(*turns, strict=True))
    return empty, full


def _insert_seconds(client: bigquery.Client, table: bigquery.Table, turn: int) -> float:
    first = turn * _BATCH
    rows = [_row(number) for number in range(first, first + _BATCH)]
    began = time.monotonic()
    errors = client.insert_rows_json(table, rows, row_ids=[row["key"] for row in rows])
    seconds = time.monotonic() - began
    if errors:
        raise RuntimeError(f"rows were refused: {errors[:3]}")
    return seconds


def _row(number: int) -> dict[str, Any]:
    return {
        "key": f"insert-{number:08d}",
        "day": "2026-01-01",
        "seen_at": f"2026-01-01T00:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "kind": "Single(1)",
        "count": number,
        "weight": 7.1 + number % 100 / 100,
        "score": number % 1000 / 1000,
        "known": number % 2 == 0,
    }
