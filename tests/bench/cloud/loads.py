"""A load job against DuckDB reading the same file."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tests.bench.cloud.table import BenchTables
from tests.bench.result import Result
from tests.bench.workshop import Workshop

_REPEATS = 5
_COLUMNS = (
    "key VARCHAR, day DATE, seen_at TIMESTAMPTZ, kind VARCHAR, count BIGINT, "
    "weight DOUBLE, score DOUBLE, known BOOLEAN"
)


def measure(workshop: Workshop) -> Result:
    """Both write a Parquet file to a new table of a database on disk, in turn, several times; of
    each the quickest counts. A job takes from its creation to its end, as it tells them itself."""
    with TemporaryDirectory() as folder:
        tables = BenchTables(workshop, Path(folder))
        jobs, by_duckdb = [], []
        for repeat in range(_REPEATS):
            by_duckdb.append(_duckdb_seconds(tables.file, Path(folder) / f"{repeat}.duckdb"))
            jobs.append(_job_seconds(tables))
    return Result(
        name=f"Parquet load / DuckDB, {tables.rows:,} rows of 8 columns",
        value=min(jobs) / min(by_duckdb),
        unit="x",
        target=2.0,
        details={"job_s": min(jobs), "duckdb_s": min(by_duckdb), "slowest_job_s": max(jobs)},
    )


def _job_seconds(tables: BenchTables) -> float:
    job = tables.load(tables.empty("loaded"))
    return float((job.ended - job.created).total_seconds())


def _duckdb_seconds(file: Path, database: Path) -> float:
    with duckdb.connect(database) as connection:
        connection.execute(f"CREATE TABLE loaded ({_COLUMNS})")
        began = time.monotonic()
        connection.execute("INSERT INTO loaded SELECT * FROM read_parquet(?)", [str(file)])
        return time.monotonic() - began
