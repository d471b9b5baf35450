"""The tables of a service's nights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beam_jobs.runs.dead_letter import DEAD_LETTER_COLUMNS
from nightstream.tables.base import (
    DEPLOYED_MODEL,
    Column,
    TableSchema,
    field_columns,
    output_columns,
)

if TYPE_CHECKING:
    from airflow.sdk import Asset

    from beam_jobs.spec import EnvironmentSpec, ServiceSpec

PARTITION_COLUMN = "score_date"
RUNS_TABLE = "scoring_runs"

_DEAD_LETTER_TYPES = {
    "score_date": "DATE",
    "payload": "BYTES",
    "source_position": "INTEGER",
    "dead_at": "TIMESTAMP",
}


def predictions_table(service: str) -> str:
    """Name of the table of a service's nightly predictions."""
    return f"{service}_predictions"


def dead_letters_table(service: str) -> str:
    """Name of the table of the rows that a service's nights could not score."""
    return f"{service}_dead_letters"


def predictions_asset(environment: EnvironmentSpec, service: str) -> Asset:
    """The Airflow asset that stands for a service's predictions.

    The `x-` keeps Airflow from looking up a handler for the scheme, which would import every
    Google client that has one into each parse of the DAG files.
    """
    from airflow.sdk import Asset

    table = predictions_table(service)
    bigquery = environment.bigquery
    return Asset(name=table, uri=f"x-bigquery://{environment.project}/{bigquery.dataset}/{table}")


def predictions_schema(spec: ServiceSpec) -> TableSchema:
    """The contract's fields, the model's outputs, and where each row comes from."""
    fields = field_columns(spec)
    key = next(column for column in fields if column.name == spec.input.key)
    return TableSchema(
        columns=(
            Column(PARTITION_COLUMN, "DATE", "The night that was scored"),
            *fields,
            *output_columns(spec),
            DEPLOYED_MODEL,
            Column("model_version", "STRING"),
            Column("scored_at", "TIMESTAMP"),
            Column("run_key", "STRING", "Identity of the run that scored the row"),
            Column("source_uri", "STRING", "The input object"),
            Column("source_position", "INTEGER", "Byte offset, or row number in Parquet"),
        ),
        partitioned_by=PARTITION_COLUMN,
        # BigQuery does not cluster by floating-point columns.
        clustered_by=() if key.type == "FLOAT" else (key.name,),
    )


def dead_letters_schema() -> TableSchema:
    """The rows that were not scored, and why."""
    return TableSchema(
        columns=tuple(
            Column(name, _DEAD_LETTER_TYPES.get(name, "STRING")) for name in DEAD_LETTER_COLUMNS
        ),
        partitioned_by=PARTITION_COLUMN,
        clustered_by=("error_code",),
    )


def runs_schema() -> TableSchema:
    """One row for each DAG run."""
    return TableSchema(_RUN_COLUMNS, partitioned_by=PARTITION_COLUMN, clustered_by=("service",))


_RUN_COLUMNS = (
    Column(PARTITION_COLUMN, "DATE", "The night that was scored"),
    Column("service", "STRING"),
    Column("dag_id", "STRING"),
    Column("run_id", "STRING"),
    Column("outcome", "STRING", "published, skipped_identical or dry_run"),
    Column("run_key", "STRING", "Identity of the work"),
    Column("interval_start", "TIMESTAMP"),
    Column("interval_end", "TIMESTAMP"),
    Column("plan_uri", "STRING", "Everything that was pinned, all input objects among it"),
    Column("input_count", "INTEGER"),
    Column("inputs", "STRING", "JSON: the first input objects with generation and size"),
    Column("late_inputs", "STRING", "JSON: objects that came after an earlier night's run"),
    Column("rows_in", "INTEGER"),
    Column("rows_scored", "INTEGER"),
    Column("rows_dead", "INTEGER"),
    Column("dead_by_code", "STRING", "JSON: dead rows by error code"),
    Column("model_version", "STRING", "Of a replayed night all that scored rows, joined by +"),
    Column("model_kind", "STRING"),
    Column("model_sha256", "STRING"),
    Column("code_version", "STRING"),
    Column("job_id", "STRING"),
    Column("job_name", "STRING"),
    Column("attempt", "INTEGER", "The attempt of the run whose output this is"),
    Column("manifest_uri", "STRING"),
    Column("partition", "STRING", "The partition of predictions"),
    Column("sequence", "INTEGER", "How often the night had been published, this time included"),
    Column("dead_letters_load", "STRING", "BigQuery job id"),
    Column("predictions_load", "STRING", "BigQuery job id"),
    Column("queued_at", "TIMESTAMP"),
    Column("started_at", "TIMESTAMP"),
    Column("scored_at", "TIMESTAMP"),
    Column("published_at", "TIMESTAMP"),
    Column("recorded_at", "TIMESTAMP"),
    Column("task_seconds", "STRING", "JSON: seconds that each finished task took"),
    Column("drift_verdict", "STRING", "fine, warn, stop, or unjudged where rows were too few"),
    Column("drift_psi", "FLOAT", "The largest PSI against the training data"),
    Column("drift_column", "STRING", "The column with that PSI"),
    Column("drift_allowed", "STRING", "Why the night was published though it drifted too far"),
    Column("drift", "STRING", "JSON: every figure, by column"),
)
