"""BigQuery load jobs, as a publisher sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from nightstream.tables import TableId, TableSchema

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, LoadJobConfig


class LoadState(Enum):
    ABSENT = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()
    BURNT = auto()
    """The id belongs to a job that loads nothing: a successor made sure it never will."""


@dataclass(frozen=True)
class LoadStatus:
    """What has become of one job id."""

    state: LoadState
    rows: int = 0
    """Rows loaded, of a load that is done."""
    error: str = ""


@dataclass(frozen=True)
class Load:
    """One partition, to be replaced by the rows of some Parquet files."""

    table: TableId
    score_date: date
    schema: TableSchema
    uris: tuple[str, ...]


class Loads(Protocol):
    """Job ids are once only: a second `start` or `burn` of an id finds the first one's job."""

    def look(self, job_id: str) -> LoadStatus: ...

    def start(self, job_id: str, load: Load) -> LoadStatus:
        """Starts the load under that id, unless the id is taken; what the id then stands for."""

    def cancel(self, job_id: str) -> None:
        """Asks a running job to stop; it may be done before it hears of it."""

    def burn(self, job_id: str) -> None:
        """Takes an id that nobody has used, with a job that loads nothing."""


class BigQueryLoads:
    """Load jobs in one location, which every call names."""

    def __init__(self, client: Client, location: str) -> None:
        self._client = client
        self._location = location

    def look(self, job_id: str) -> LoadStatus:
        from google.api_core.exceptions import NotFound

        try:
            job = self._client.get_job(job_id, location=self._location)
        except NotFound:
            return LoadStatus(LoadState.ABSENT)
        return _status(job)

    def start(self, job_id: str, load: Load) -> LoadStatus:
        from google.api_core.exceptions import Conflict

        try:
            job = self._client.load_table_from_uri(
                list(load.uris),
                load.table.partition(load.score_date),
                job_id=job_id,
                location=self._location,
                job_config=_configuration(load),
            )
        except Conflict:
            return self.look(job_id)
        return _status(job)

    def cancel(self, job_id: str) -> None:
        self._client.cancel_job(job_id, location=self._location)

    def burn(self, job_id: str) -> None:
        from google.api_core.exceptions import Conflict

        try:
            self._client.query("SELECT 1", job_id=job_id, location=self._location, job_retry=None)
        except Conflict:
            return


def _configuration(load: Load) -> LoadJobConfig:
    from google.cloud import bigquery

    from nightstream.hooks.bigquery import schema_fields

    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        schema=schema_fields(load.schema),
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        schema_update_options=[bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION],
        labels={"nightstream": "publish"},
    )


def _status(job: object) -> LoadStatus:
    from google.cloud.bigquery import LoadJob

    if not isinstance(job, LoadJob):
        return LoadStatus(LoadState.BURNT)
    if job.state != "DONE":
        return LoadStatus(LoadState.RUNNING)
    if job.error_result:
        return LoadStatus(LoadState.FAILED, error=job.error_result.get("message", "unknown"))
    return LoadStatus(LoadState.DONE, rows=job.output_rows or 0)
