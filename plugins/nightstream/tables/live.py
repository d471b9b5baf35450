"""The tables and views of a service's streaming job.

The tables hold what the job wrote: a request more than once where its message came more than once.
The views hold each request once within the day on which it was published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beam_jobs.runs.streaming import live_dead_letters_table, live_predictions_table
from nightstream.tables.base import (
    DEPLOYED_MODEL,
    Column,
    TableSchema,
    View,
    field_columns,
    output_columns,
    table_id,
)

if TYPE_CHECKING:
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec

_REQUEST = Column("request_id", "STRING", "Names the request: the caller's name, or the message's")
_SOURCE = (
    Column("message_id", "STRING"),
    Column("source_uri", "STRING", "The subscription"),
    Column("source_position", "INTEGER", "Place in the message, from 0"),
)
_TIMES = (
    Column("event_time", "TIMESTAMP", "When it happened, as the request says"),
    Column("published_at", "TIMESTAMP", "When the request was published"),
)
_REVISION = Column("revision", "STRING", "Identity of the streaming job that wrote the row")

_TIE = "message_id, source_position, source_uri, revision"
"""Tells rows of one request apart that were written at one and the same moment."""


def live_predictions_schema(spec: ServiceSpec) -> TableSchema:
    """The contract's fields, the model's outputs, and where each row comes from."""
    return _live_table(
        _REQUEST,
        *field_columns(spec),
        *output_columns(spec),
        DEPLOYED_MODEL,
        Column("model_version", "STRING"),
        *_SOURCE,
        *_TIMES,
        Column("scored_at", "TIMESTAMP"),
        _REVISION,
    )


def live_dead_letters_schema() -> TableSchema:
    """The requests that were not scored, and why."""
    return _live_table(
        _REQUEST,
        Column("stage", "STRING", "Where it failed"),
        Column("error_code", "STRING"),
        Column("error_field", "STRING"),
        Column("error_message", "STRING"),
        Column("payload", "BYTES", "As it was sent"),
        Column("payload_uri", "STRING", "Where a payload lies that is too large for a row"),
        *_SOURCE,
        *_TIMES,
        Column("model_version", "STRING"),
        Column("dead_at", "TIMESTAMP"),
        _REVISION,
    )


def live_profiles_schema() -> TableSchema:
    """What workers counted of the requests that they scored, about a row a minute of each."""
    return TableSchema(
        columns=(
            Column("worker", "STRING", "A process of the streaming job"),
            Column("sequence", "INTEGER", "Counts the process's rows, from 0"),
            Column("window_start", "TIMESTAMP"),
            Column("window_end", "TIMESTAMP"),
            Column("model_version", "STRING"),
            _REVISION,
            Column("scored", "INTEGER", "Requests that were scored"),
            Column("features", "STRING", "JSON: a histogram for each feature"),
            Column("predictions", "STRING", "JSON: a histogram for each output"),
        ),
        partitioned_by="window_end",
    )


def live_drift_table(service: str) -> str:
    """Name of the table of what the hourly looks at a service's live drift found."""
    return f"{service}_drift_live"


def live_drift_schema() -> TableSchema:
    """One row for each look."""
    return TableSchema(
        columns=(
            Column("window_start", "TIMESTAMP"),
            Column("window_end", "TIMESTAMP"),
            Column("service", "STRING"),
            Column("dag_id", "STRING"),
            Column("run_id", "STRING"),
            Column("model_version", "STRING", "The version that scored last"),
            Column("scored", "INTEGER", "Requests that it scored in that time"),
            Column("drift_verdict", "STRING", "fine, warn, stop, or unjudged"),
            Column("drift_psi", "FLOAT", "The largest PSI against the training data"),
            Column("drift_column", "STRING", "The column with that PSI"),
            Column("drift", "STRING", "JSON: every figure, by column"),
            Column("drift_uri", "STRING", "Everything, the histograms among it"),
        ),
        partitioned_by="window_end",
    )


def live_predictions_view(spec: ServiceSpec, environment: EnvironmentSpec) -> View:
    """Of each request the prediction that came first.

    Whoever filters by `publish_date` reads the partitions of those days only.
    """
    name = live_predictions_table(spec.service)
    columns = _names(live_predictions_schema(spec))
    query = f"""\
SELECT *
FROM (
  SELECT DATE(published_at) AS publish_date, {", ".join(columns)}
  FROM `{table_id(environment, name)}`
)
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY publish_date, request_id
  ORDER BY scored_at, {_TIE}
) = 1"""
    return View(table_id(environment, f"{name}_unique"), query)


def live_dead_letters_view(spec: ServiceSpec, environment: EnvironmentSpec) -> View:
    """Of each request that was not scored that day the dead letter that came first.

    The predictions take part as rows that go before any dead letter, and are left out at last: a
    join would not hand a filter by `publish_date` on to both tables.
    """
    predictions = table_id(environment, live_predictions_table(spec.service))
    name = live_dead_letters_table(spec.service)
    columns = _names(live_dead_letters_schema())
    scored = [column if column == "`request_id`" else f"NULL AS {column}" for column in columns]
    query = f"""\
SELECT * EXCEPT (was_scored)
FROM (
  SELECT DATE(published_at) AS publish_date, {", ".join(columns)}, FALSE AS was_scored
  FROM `{table_id(environment, name)}`
  UNION ALL
  SELECT DATE(published_at) AS publish_date, {", ".join(scored)}, TRUE AS was_scored
  FROM `{predictions}`
)
QUALIFY NOT was_scored AND ROW_NUMBER() OVER (
  PARTITION BY publish_date, request_id
  ORDER BY was_scored DESC, dead_at, {_TIE}
) = 1"""
    return View(table_id(environment, f"{name}_unique"), query)


def _live_table(*columns: Column) -> TableSchema:
    return TableSchema(columns, partitioned_by="published_at", clustered_by=("request_id",))


def _names(schema: TableSchema) -> list[str]:
    return [f"`{column.name}`" for column in schema.columns]
