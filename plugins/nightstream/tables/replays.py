"""The table of what came of replayed dead letters; rows are only ever added."""

from __future__ import annotations

from nightstream.tables.base import Column, TableSchema


def replays_table(service: str) -> str:
    """Name of the table of a service's replayed dead letters."""
    return f"{service}_replays"


def replays_schema() -> TableSchema:
    """One row for each dead letter that a replay tried."""
    return TableSchema(_COLUMNS, partitioned_by="replayed_at", clustered_by=("outcome",))


_COLUMNS = (
    Column("replayed_at", "TIMESTAMP", "When the outcome was known"),
    Column("source", "STRING", "batch or streaming"),
    Column("outcome", "STRING", "repaired, still_dead or sent"),
    Column("error_code", "STRING", "For which the letter was dead"),
    Column("still_error_code", "STRING", "For which it is dead now; of still_dead"),
    Column("score_date", "DATE", "The night; of batch"),
    Column("source_uri", "STRING", "The input object; of batch"),
    Column("source_position", "INTEGER", "Place in the object, or in the message"),
    Column("request_id", "STRING", "Of streaming"),
    Column("message_id", "STRING", "In which the request first came; of streaming"),
    Column("published_at", "TIMESTAMP", "When that message was published; of streaming"),
    Column("run_key", "STRING", "Of the replay that published the night anew; of batch"),
    Column("model_version", "STRING", "That tried it; of batch"),
    Column("dag_id", "STRING"),
    Column("run_id", "STRING"),
)
