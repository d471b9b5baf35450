"""The BigQuery tables and views of a service: names, columns, partitions, clusters, queries.

Plain values, so that a DAG file can name a table without importing a Google client.
"""

from nightstream.tables.base import Column, TableId, TableSchema, View, table_id
from nightstream.tables.live import (
    live_dead_letters_schema,
    live_dead_letters_view,
    live_drift_schema,
    live_drift_table,
    live_predictions_schema,
    live_predictions_view,
    live_profiles_schema,
)
from nightstream.tables.nightly import (
    PARTITION_COLUMN,
    RUNS_TABLE,
    dead_letters_schema,
    dead_letters_table,
    predictions_asset,
    predictions_schema,
    predictions_table,
    runs_schema,
)
from nightstream.tables.replays import replays_schema, replays_table

__all__ = [
    "PARTITION_COLUMN",
    "RUNS_TABLE",
    "Column",
    "TableId",
    "TableSchema",
    "View",
    "dead_letters_schema",
    "dead_letters_table",
    "live_dead_letters_schema",
    "live_dead_letters_view",
    "live_drift_schema",
    "live_drift_table",
    "live_predictions_schema",
    "live_predictions_view",
    "live_profiles_schema",
    "predictions_asset",
    "predictions_schema",
    "predictions_table",
    "replays_schema",
    "replays_table",
    "runs_schema",
    "table_id",
]
