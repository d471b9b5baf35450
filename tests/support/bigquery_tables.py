"""Tables, rows and loads that the tests of the BigQuery emulator are made of."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
from google.cloud import bigquery

FIELD = bigquery.SchemaField
NIGHT_SCHEMA = [
    FIELD("score_date", "DATE"),
    FIELD("key", "STRING"),
    FIELD("score", "FLOAT"),
]


def nights_table(client: bigquery.Client, dataset: str, name: str = "nights") -> str:
    """Creates a table partitioned by score_date and clustered by key; answers its id."""
    table = bigquery.Table(f"{client.project}.{dataset}.{name}", schema=NIGHT_SCHEMA)
    table.time_partitioning = bigquery.TimePartitioning(field="score_date")
    table.clustering_fields = ["key"]
    client.create_table(table)
    return f"{client.project}.{dataset}.{name}"


def night(day: date, rows: int, score: float = 0.0) -> pa.Table:
    """Rows of one night, as Parquet holds them."""
    return pa.table(
        {
            "score_date": pa.array([day] * rows, pa.date32()),
            "key": pa.array([f"k{i}" for i in range(rows)], pa.string()),
            "score": pa.array([score] * rows, pa.float64()),
        }
    )


def parquet_load(**options: Any) -> bigquery.LoadJobConfig:
    return bigquery.LoadJobConfig(source_format="PARQUET", **options)


# A query that runs for minutes unless it is cancelled.
SLOW = (
    "SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 30000)) a, "
    "UNNEST(GENERATE_ARRAY(1, 300000)) b WHERE MOD(a * b, 7) = 3"
)
TRUNCATE = parquet_load(write_disposition="WRITE_TRUNCATE")


def rows_of(client: bigquery.Client, sql: str, **options: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as tuples."""
    config = bigquery.QueryJobConfig(**options)
    return [row.values() for row in client.query(sql, job_config=config).result()]


def partitions_of(client: bigquery.Client, table: str) -> dict[str, int]:
    """Row counts by partition id."""
    project, dataset, name = table.split(".")
    found = rows_of(
        client,
        f"SELECT partition_id, total_rows FROM `{project}.{dataset}.INFORMATION_SCHEMA.PARTITIONS` "
        f"WHERE table_name = '{name}'",
    )
    return dict(found)
