"""The BigQuery v2 REST API on DuckDB."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute

from local.cloud.bigquery import copies
from local.cloud.bigquery.catalog_api import CatalogEndpoints
from local.cloud.bigquery.console import Console
from local.cloud.bigquery.expiry import Sweeper
from local.cloud.bigquery.extracts import run as extract_run
from local.cloud.bigquery.jobs import Jobs
from local.cloud.bigquery.jobs_api import JobEndpoints
from local.cloud.bigquery.loads import run as load_run
from local.cloud.bigquery.queries import run as query_run
from local.cloud.bigquery.sizes import Sizes
from local.cloud.bigquery.store import Store
from local.cloud.bigquery.streaming import buffer
from local.cloud.bigquery.streaming.api import StreamingEndpoints
from local.cloud.bigquery.streaming.inserts import Inserter
from local.cloud.bigquery.uploads import Uploads
from local.cloud.config import CloudConfig
from local.cloud.storage.store import ObjectStore

_SEMANTICS = Path(__file__).parent / "sql" / "semantics.sql"


class BigQueryApi:
    """Datasets, tables and jobs under `<data>/bigquery`; `objects` are loaded and extracted to."""

    def __init__(self, config: CloudConfig, objects: ObjectStore) -> None:
        folder = config.data / "bigquery"
        macros = _SEMANTICS.read_text() + buffer.macros(config.streaming_buffer_s)
        self._store = Store(folder / "tables.duckdb", macros)
        self._jobs = Jobs(
            self._store,
            {
                "load": lambda execution: load_run.run(execution, self._store, objects),
                "copy": lambda execution: copies.run(execution, self._store),
                "extract": lambda execution: extract_run.run(execution, self._store, objects),
                "query": lambda execution: query_run.run(execution, self._store),
            },
        )
        self._uploads = Uploads(folder / "uploads")
        self._sizes = Sizes(self._store)
        self._sweeper = Sweeper(self._store)

    def routes(self) -> list[BaseRoute]:
        return [
            *StreamingEndpoints(Inserter(self._store)).routes(),
            *JobEndpoints(self._store, self._jobs, self._uploads).routes(),
            *CatalogEndpoints(self._store, self._sizes).routes(),
            *Console(self._store).routes(),
        ]

    def start(self) -> None:
        """Opens the tables, and runs again what a crash interrupted."""
        self._store.open()
        buffer.prepare(self._store)
        self._jobs.start()
        self._sweeper.start()

    def stop(self) -> None:
        self._sweeper.stop()
        self._jobs.stop()
        self._store.close()
