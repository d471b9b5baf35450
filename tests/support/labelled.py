"""Predictions and labels in the tables of the local BigQuery."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.hooks.bigquery import created_table
from nightstream.tables import predictions_schema, predictions_table, table_id
from tests.support.local_cloud import PROJECT

PREDICTIONS = pa.schema(
    [
        ("score_date", pa.date32()),
        ("id", pa.string()),
        ("weight", pa.float64()),
        ("model_version", pa.string()),
    ]
)


@dataclass(frozen=True)
class Warehouse:
    """The dataset of one environment."""

    environment: EnvironmentSpec
    spec: ServiceSpec

    @property
    def client(self) -> bigquery.Client:
        return bigquery.Client(PROJECT, AnonymousCredentials(), location="US")

    def name(self, table: str) -> str:
        return str(table_id(self.environment, table))

    def publish(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Adds rows of PREDICTIONS to the service's nights."""
        table = table_id(self.environment, predictions_table(self.spec.service))
        created_table(self.client, table, predictions_schema(self.spec))
        self.load(str(table), pa.Table.from_pylist(list(rows), PREDICTIONS))

    def load(self, table: str, rows: pa.Table) -> None:
        """Adds rows to a table, which is created where there is none."""
        buffer = io.BytesIO()
        pq.write_table(rows, buffer)
        buffer.seek(0)
        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
        self.client.load_table_from_file(buffer, table, job_config=config).result()

    def label(self, labels: Mapping[str, float | None] | list[tuple[str, float | None]]) -> None:
        """Adds labels to the table `truth`."""
        pairs = labels.items() if isinstance(labels, Mapping) else labels
        rows = [{"id": key, "truth": label} for key, label in pairs]
        schema = pa.schema([("id", pa.string()), ("truth", pa.float64())])
        self.load(self.name("truth"), pa.Table.from_pylist(rows, schema))

    def quality(self) -> list[dict[str, Any]]:
        """All that was measured, by night, version and source."""
        order = "score_date, model_version, source"
        query = f"SELECT * FROM `{self.name('prediction_quality')}` ORDER BY {order}"
        return [dict(row) for row in self.client.query(query).result()]


def predicted(night: date, version: str, **weights: float | None) -> list[dict[str, Any]]:
    """Rows of PREDICTIONS, by key."""
    return [
        {"score_date": night, "id": key, "weight": weight, "model_version": version}
        for key, weight in weights.items()
    ]
