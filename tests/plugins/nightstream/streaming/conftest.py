"""The live tables and views of a service in the real local BigQuery."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.streaming.preparation import prepare_live_tables
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.specs import a_service, an_environment

PREDICTIONS, DEAD_LETTERS = "weights_predictions_live", "weights_dead_letters_live"
TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass
class Live:
    """The dataset of one service."""

    client: bigquery.Client
    environment: EnvironmentSpec
    spec: ServiceSpec

    @property
    def dataset(self) -> str:
        return self.environment.bigquery.dataset

    def prepare(self, spec: ServiceSpec | None = None) -> None:
        prepare_live_tables(self.client, spec or self.spec, self.environment)

    def table(self, name: str) -> bigquery.Table:
        return self.client.get_table(f"{self.dataset}.{name}")

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        assert not self.client.insert_rows_json(f"{self.dataset}.{table}", rows)

    def query(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.client.query(sql).result()]

    def view(self, table: str, columns: str, where: str = "TRUE") -> list[tuple[Any, ...]]:
        """Rows of the table's unique view, in order."""
        sql = f"SELECT {columns} FROM `{self.dataset}.{table}_unique` WHERE {where}"
        return sorted(tuple(row.values()) for row in self.query(sql))


def a_dataset(local_cloud: LocalCloud) -> Live:
    with pytest.MonkeyPatch.context() as patch:
        local_cloud.point_clients_here(patch)
        client = bigquery.Client(PROJECT, AnonymousCredentials())
    dataset = f"live_{uuid.uuid4().hex[:12]}"
    client.create_dataset(dataset)
    environment = an_environment(local_cloud.url, bigquery={"dataset": dataset})
    return Live(client, environment, a_service())


@pytest.fixture
def empty(local_cloud: LocalCloud) -> Live:
    """A dataset without tables."""
    return a_dataset(local_cloud)


@pytest.fixture(scope="module")
def live(local_cloud: LocalCloud) -> Live:
    """A dataset with the tables and views, shared by a module's tests."""
    prepared = a_dataset(local_cloud)
    prepared.prepare()
    return prepared


def scored(
    request: str, weight: float = 1.0, after: int = 0, day: int = 0, message: str = "m"
) -> dict[str, Any]:
    """A prediction, so many seconds after its request was published, days after today."""
    return _row(request, day, message) | {"weight": weight, "scored_at": _text(day, after)}


def dead(
    request: str, code: str = "NOT_JSON", after: int = 0, day: int = 0, message: str = "m"
) -> dict[str, Any]:
    """A dead letter, likewise."""
    return _row(request, day, message) | {"error_code": code, "dead_at": _text(day, after)}


def _row(request: str, day: int, message: str) -> dict[str, Any]:
    return {
        "request_id": request,
        "message_id": message,
        "source_position": 0,
        "published_at": _text(day, 0),
    }


def _text(day: int, seconds: int) -> str:
    return (TODAY + day * DAY + seconds * SECOND).isoformat()
