"""A million rows of eight columns: a file in storage and on disk, and tables they are loaded to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from beam_jobs.objects import open_objects
from tests.bench.workshop import BUCKET, Workshop
from tests.support.local_cloud import PROJECT

ROWS = 1_000_000
SCHEMA = [
    bigquery.SchemaField("key", "STRING"),
    bigquery.SchemaField("day", "DATE"),
    bigquery.SchemaField("seen_at", "TIMESTAMP"),
    bigquery.SchemaField("kind", "STRING"),
    bigquery.SchemaField("count", "INTEGER"),
    bigquery.SchemaField("weight", "FLOAT"),
    bigquery.SchemaField("score", "FLOAT"),
    bigquery.SchemaField("known", "BOOLEAN"),
]
_DATASET = "bench_tables"
_SEED = 20_260_102


class BenchTables:
    """Tables of the same eight columns in a workshop's BigQuery."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.rows = workshop.rows(ROWS)
        self.file = folder / "rows.parquet"
        self.uri = f"gs://{BUCKET}/tables/rows.parquet"
        self.client = bigquery.Client(project=PROJECT)
        self.client.create_dataset(_DATASET, exists_ok=True)
        pq.write_table(_rows(self.rows), self.file)
        open_objects(self.uri).put_file(self.uri, self.file)

    def empty(self, name: str) -> bigquery.Table:
        """A table of that name without rows."""
        table = f"{PROJECT}.{_DATASET}.{name}"
        self.client.delete_table(table, not_found_ok=True)
        return self.client.create_table(bigquery.Table(table, schema=SCHEMA))

    def load(self, table: bigquery.Table) -> bigquery.LoadJob:
        """Loads the file; answers the job when it is done."""
        options = bigquery.LoadJobConfig(source_format="PARQUET")
        job = self.client.load_table_from_uri(self.uri, table, job_config=options)
        job.result()
        if job.output_rows != self.rows:
            raise RuntimeError(f"{job.output_rows} rows were loaded of {self.rows}")
        return job


def _rows(count: int) -> pa.Table:
    random = np.random.default_rng(_SEED)
    start = np.datetime64(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), "us")
    seconds = random.integers(86_400 * 30, size=count)
    at = start + seconds.astype("timedelta64[s]")
    kinds = np.array(["Single(1)", "Twins(2)", "Triplets(3)", "Multiple(2+)"])
    return pa.table(
        {
            "key": [f"birth-{number:08d}" for number in range(count)],
            "day": at.astype("datetime64[D]"),
            "seen_at": pa.array(at, pa.timestamp("us", "UTC")),
            "kind": kinds[random.integers(len(kinds), size=count)],
            "count": random.integers(1 << 40, size=count),
            "weight": random.normal(7.1, 1.4, count),
            "score": random.random(count),
            "known": random.random(count) < 0.5,
        }
    )
