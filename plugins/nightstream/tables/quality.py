"""The tables of labels, and of what predictions are worth by them."""

from __future__ import annotations

from nightstream.tables.base import Column, TableSchema

QUALITY_TABLE = "prediction_quality"


def labels_table(service: str) -> str:
    """Name of the table that label files are loaded into, anew for each measurement."""
    return f"{service}_labels"


def quality_schema() -> TableSchema:
    """One row for each service, night, model version, source and metric."""
    return TableSchema(_COLUMNS, partitioned_by="score_date", clustered_by=("service",))


_COLUMNS = (
    Column("score_date", "DATE", "The night; of live requests the day of publishing (UTC)"),
    Column("service", "STRING"),
    Column("model_version", "STRING"),
    Column("source", "STRING", "batch or streaming"),
    Column("output", "STRING", "The output that was compared"),
    Column("metric", "STRING", "rmse, mae, auc or log_loss"),
    Column("value", "FLOAT", "Null where it cannot be told, as without a label"),
    Column("predictions", "INTEGER", "Predictions of the version that stand published"),
    Column("labelled", "INTEGER", "Those that the value is of"),
    Column("unlabelled", "INTEGER", "Those without a label, or without a finite number"),
    Column("repeated_labels", "INTEGER", "Predictions whose label came more than once, the same"),
    Column("measured_at", "TIMESTAMP", "When the row last changed"),
)
