"""A streaming plan, its tables in the local cloud, micro-batches for them, and what they hold."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from google.cloud import bigquery

from beam_jobs.inserts.patience import Clock
from beam_jobs.messages.requests import REQUEST_SCHEMA, Requests
from beam_jobs.prediction.live.served import ScoredBy
from beam_jobs.rows import DeadRow, GivenPayloads, dead_batch
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import StreamingPlan, build_streaming_plan
from beam_jobs.spec import ServiceSpec
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.live_columns import LIVE_DEAD_LETTER_SCHEMA, live_prediction_schema
from tests.support.specs import a_service, an_environment

SCORED_BY = ScoredBy("v1", "0123456789" * 4)
"""The model that the micro-batches say they were scored by."""

_TYPES = {
    pa.string(): "STRING",
    pa.int64(): "INTEGER",
    pa.float64(): "FLOAT",
    pa.bool_(): "BOOLEAN",
    pa.binary(): "BYTES",
    pa.date32(): "DATE",
    pa.timestamp("us", "UTC"): "TIMESTAMP",
}


@dataclass
class FakeClock:
    """Time passes only in sleep, and chance always takes the longest wait."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[int], None] = lambda _: None
    """Called with the number of sleeps so far."""

    def clock(self) -> Clock:
        return Clock(lambda: self.time, self._sleep, lambda: 1.0)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        self.on_sleep(len(self.slept))


class LiveTables:
    """The two tables of a service in a dataset of their own; the ids are in the attributes."""

    def __init__(self, client: bigquery.Client, spec: ServiceSpec | None = None) -> None:
        self._client = client
        name = f"w{uuid.uuid4().hex[:10]}"
        streaming = {"topic": f"{name}-in", "subscription": f"{name}-sub"}
        pin = ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64)
        environment = an_environment(bigquery={"dataset": name}, buckets={"work": name})
        self.plan: StreamingPlan = build_streaming_plan(
            spec or a_service(name, streaming=streaming), environment, pin, ()
        )
        client.create_dataset(name)
        self.predictions = f"{client.project}.{name}.{self.plan.tables.predictions}"
        self.dead_letters = f"{client.project}.{name}.{self.plan.tables.dead_letters}"

    def create(self) -> None:
        self._create(self.predictions, live_prediction_schema(self.plan.spec))
        self._create(self.dead_letters, LIVE_DEAD_LETTER_SCHEMA)

    def rows(self, table: str, columns: str, order: str = "request_id") -> list[tuple[Any, ...]]:
        sql = f"SELECT {columns} FROM `{table}` ORDER BY {order}"
        return [row.values() for row in self._client.query(sql).result()]

    def _create(self, name: str, schema: pa.Schema) -> None:
        fields = [bigquery.SchemaField(column.name, _TYPES[column.type]) for column in schema]
        table = bigquery.Table(name, schema=fields)
        table.time_partitioning = bigquery.TimePartitioning(field="published_at")
        self._client.create_table(table)


def a_micro_batch(
    weights: Sequence[float | None] = (),
    dead: Sequence[DeadRow] = (),
    ids: Sequence[str] | None = None,
    payload: bytes = b"as received",
) -> ScoredRequests:
    """Requests r0, r1, … of `a_service`, first the scored, then the dead ones (positions apart)."""
    count = len(weights) + len(dead)
    now = datetime.now(UTC)
    identity = pa.RecordBatch.from_arrays(
        [
            pa.array(ids or [f"r{i}" for i in range(count)], pa.string()),
            pa.array([f"m{i}" for i in range(count)], pa.string()),
            pa.array([0] * count, pa.int64()),
            pa.nulls(count, REQUEST_SCHEMA.field("event_time").type),
            pa.array([now] * count, REQUEST_SCHEMA.field("published_at").type),
        ],
        schema=REQUEST_SCHEMA,
    )
    keys = pa.array([f"k{i}" for i in range(len(weights))], pa.string())
    weeks = pa.array([39.5] * len(weights), pa.float64())
    return ScoredRequests(
        source=Requests(identity, GivenPayloads(pa.array([payload] * count, pa.binary()))),
        rows=pa.RecordBatch.from_arrays([keys, weeks], ["id", "weeks"]),
        outputs=pa.RecordBatch.from_arrays([pa.array(weights, pa.float64())], ["weight"]),
        positions=pa.array(range(len(weights)), pa.int64()),
        dead=dead_batch(dead),
        rows_in=count,
        scored_at=now,
        scored_by=SCORED_BY,
    )
