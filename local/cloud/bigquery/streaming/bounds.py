"""How far from today a streamed row's partition may lie."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from local.cloud.bigquery.partitions import Partitioning
from local.cloud.bigquery.streaming.columns import Problems

PAST_DAYS = 1825
FUTURE_DAYS = 366


def check(
    partitioning: Partitioning, table: pa.Table, now: datetime, name: object, problems: Problems
) -> None:
    """Notes the rows that the service refuses: over five years old, over a year ahead."""
    column = partitioning.column.name
    values = table[column].combine_chunks()
    days = values.cast(pa.date32(), safe=False)
    extremes = pc.min_max(days)
    first = now.date() - timedelta(days=PAST_DAYS)
    last = now.date() + timedelta(days=FUTURE_DAYS)
    low, high = extremes["min"].as_py(), extremes["max"].as_py()
    if low is None or (low >= first and high <= last):
        return
    numbers = values.cast(pa.int32() if pa.types.is_date32(values.type) else pa.int64())
    for i, (day, number) in enumerate(zip(days.to_pylist(), numbers.to_pylist(), strict=True)):
        if day is not None and not first <= day <= last:
            problems.add(
                i,
                "",
                f"Value {number} for field {column} of the destination table {name} is outside "
                f"the allowed bounds. You can only stream to date range within {PAST_DAYS} days "
                f"in the past and {FUTURE_DAYS} days in the future relative to the current date.",
            )
