"""A table as a streaming job writes it, and rows for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.cloud import bigquery

from tests.support.bigquery_tables import FIELD, rows_of

LIVE = [
    FIELD("id", "STRING", "REQUIRED"),
    FIELD("score", "FLOAT"),
    FIELD("published_at", "TIMESTAMP"),
]


def live_table(client: bigquery.Client, dataset: str, name: str = "live") -> str:
    """Creates a table partitioned by published_at; answers its id."""
    table = bigquery.Table(f"{client.project}.{dataset}.{name}", schema=LIVE)
    table.time_partitioning = bigquery.TimePartitioning(field="published_at")
    client.create_table(table)
    return f"{client.project}.{dataset}.{name}"


def row(id_: str, score: float = 0.5, at: datetime | None = None) -> dict[str, Any]:
    return {"id": id_, "score": score, "published_at": (at or datetime.now(UTC)).isoformat()}


def ids(client: bigquery.Client, table: str) -> list[str]:
    """The ids of all rows, in order."""
    return [found[0] for found in rows_of(client, f"SELECT id FROM `{table}` ORDER BY id")]


def buffered(client: bigquery.Client, table: str) -> int:
    """How many rows tables.get reports in the streaming buffer."""
    buffer = client.get_table(table).streaming_buffer
    return 0 if buffer is None else int(buffer.estimated_rows)
