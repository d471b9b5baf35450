"""Writes the row of a DAG run, exactly once.

BigQuery lets two MERGE statements that find no row both insert one. So the recordings of one DAG
run form a chain: each is a job with the next free number in its id, ids are once only, and a job
is started only when the one before it has ended.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING

from nightstream.recording.row import Row, fingerprint
from nightstream.tables import Column, TableId, TableSchema

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, QueryJob

log = logging.getLogger(__name__)

_KEY = ("dag_id", "run_id")
_LABEL = "content"
_POLL_SECONDS = 0.5


class RecordingFailedError(Exception):
    """The row could not be written; recording again starts another job."""


def merge_statement(table: TableId, schema: TableSchema) -> str:
    """Inserts the row of a DAG run, or replaces it; values come as query parameters."""
    columns = [f"`{column.name}`" for column in schema.columns]
    values = ", ".join(f"@{column.name} AS `{column.name}`" for column in schema.columns)
    same = " AND ".join(f"recorded.{name} = this.{name}" for name in _KEY)
    changes = ", ".join(f"{column} = this.{column}" for column in columns)
    return (
        f"MERGE `{table}` AS recorded USING (SELECT {values}) AS this ON {same} "
        f"WHEN MATCHED THEN UPDATE SET {changes} "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) "
        f"VALUES ({', '.join(f'this.{column}' for column in columns)})"
    )


class Recorder:
    """Writes rows into one table."""

    def __init__(
        self,
        client: Client,
        location: str,
        table: TableId,
        schema: TableSchema,
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._location = location
        self._table = table
        self._schema = schema
        self._sleep = sleep

    def record(self, row: Row) -> str:
        """The id of the job that wrote the row. Raises RecordingFailedError."""
        content = fingerprint(row)
        last: QueryJob | None = None
        for job_id in _chain(self._table, row):
            job = self._find(job_id)
            if job is None and last is not None and _wrote(last, content):
                log.info("the row is there already, written by %s", last.job_id)
                return str(last.job_id)
            if job is None and self._write(job_id, row, content):
                return job_id
            last = self._finished(job or self._found(job_id))
        raise AssertionError("a chain has no end")

    def _write(self, job_id: str, row: Row, content: str) -> bool:
        """Runs the job to its end; False when somebody else has just taken the id."""
        job = self._start(job_id, row, content)
        if job is None:
            return False
        error = self._finished(job).error_result
        if error:
            raise RecordingFailedError(f"{job_id}: {error.get('message')}")
        return True

    def _find(self, job_id: str) -> QueryJob | None:
        from google.api_core.exceptions import NotFound

        try:
            return self._found(job_id)
        except NotFound:
            return None

    def _found(self, job_id: str) -> QueryJob:
        return self._client.get_job(job_id, location=self._location)  # type: ignore[return-value]

    def _start(self, job_id: str, row: Row, content: str) -> QueryJob | None:
        """The job, or None when somebody else took the id."""
        from google.api_core.exceptions import Conflict
        from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

        config = QueryJobConfig(
            query_parameters=[
                ScalarQueryParameter(column.name, _sql_type(column), row[column.name])
                for column in self._schema.columns
            ],
            labels={"nightstream": "record", _LABEL: content},
            use_query_cache=False,
        )
        try:
            return self._client.query(
                merge_statement(self._table, self._schema),
                job_id=job_id,
                location=self._location,
                job_config=config,
                job_retry=None,
            )
        except Conflict:
            return None

    def _finished(self, job: QueryJob) -> QueryJob:
        while job.state != "DONE":
            self._sleep(_POLL_SECONDS)
            job.reload()
        return job


def _chain(table: TableId, row: Row) -> Iterator[str]:
    """The ids of a DAG run's recordings in a table, first to last."""
    identity = "\n".join((str(table), *(str(row[name]) for name in _KEY)))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return (f"nightstream-record-{digest}-{number}" for number in count(1))


def _wrote(job: QueryJob, content: str) -> bool:
    return job.error_result is None and job.labels.get(_LABEL) == content


def _sql_type(column: Column) -> str:
    """The name by which a query parameter knows the type."""
    return {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}.get(column.type, column.type)
