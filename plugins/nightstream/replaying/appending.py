"""Adds rows to the table of replays, once."""

from __future__ import annotations

import io
from itertools import count
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    import pyarrow as pa
    from google.cloud.bigquery import Client

    from nightstream.tables import TableId, TableSchema

_MOST_TRIES = 20


class AppendFailedError(Exception):
    """The rows could not be added; none of them was."""


def append_once(
    client: Client, table: TableId, schema: TableSchema, rows: pa.Table, identity: str
) -> str:
    """Adds the rows under an identity (letters, digits, `-`), unless that was done before; the id
    of the job that did. Raises AppendFailedError.

    Ids of jobs are once only, so that a second try finds the first one's job; a job that failed
    added nothing, and the next number takes its place.
    """
    from google.api_core.exceptions import Conflict, GoogleAPICallError
    from google.cloud import bigquery

    from nightstream.hooks.bigquery import schema_fields

    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        schema=schema_fields(schema),
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        labels={"nightstream": "replay"},
    )
    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    for number in count(1):
        job_id = f"nightstream-replays-{identity}-{number}"
        buffer.seek(0)
        try:
            job = client.load_table_from_file(buffer, str(table), job_id=job_id, job_config=config)
        except Conflict:
            job = client.get_job(job_id)  # type: ignore[assignment]
        try:
            job.result()
        except GoogleAPICallError as error:
            if number == _MOST_TRIES:
                raise AppendFailedError(f"{job_id}: {error}") from error
            continue
        return job_id
    raise AssertionError("counting does not end")
