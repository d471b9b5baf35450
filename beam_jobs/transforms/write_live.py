"""Writes scored requests to the live tables, a micro-batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.metrics.metric import Metrics
from apache_beam.utils.shared import Shared
from google.cloud.bigquery import DatasetReference

from beam_jobs.inserts.client import InsertClient
from beam_jobs.inserts.patience import Clock
from beam_jobs.inserts.rows import insert_rows
from beam_jobs.inserts.table import TableWriter, Written
from beam_jobs.objects import open_objects
from beam_jobs.reading.redaction import Redactor
from beam_jobs.rows import DeadRow, dead_batch
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.dead_storage import DeadStorage
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.live_columns import (
    live_dead_letter_rows,
    live_prediction_rows,
    live_prediction_schema,
)


class WriteLive(beam.DoFn):
    """ScoredRequests → the same as it stands in the tables at the end.

    Rows that the predictions table refuses are dead letters. When a batch comes out, each of its
    rows is in a table; else SinkDownError is raised, and the runner sends the messages again.
    """

    def __init__(self, plan: StreamingPlan, subscription: str, clock: Clock | None = None) -> None:
        self._plan = plan
        self._subscription = subscription
        self._clock = clock or Clock()
        self._shared = Shared()

    def setup(self) -> None:
        self._tables: _LiveTables = self._shared.acquire(
            partial(_LiveTables, self._plan, self._clock)
        )
        self._storage = DeadStorage(self._plan.root, open_objects(self._plan.root))
        self._schema = live_prediction_schema(self._plan.spec)
        self._redactor = Redactor.of(self._plan.spec.input, ())
        self._thread = ThreadPoolExecutor(1, "dead-letters")

    def process(self, batch: ScoredRequests) -> Iterator[ScoredRequests]:
        writing_dead = self._thread.submit(self._write_dead, batch)
        try:
            scored = self._write_scored(batch)
        finally:
            dead = writing_dead.result()
        refused = _refused(batch, scored)
        refused_dead = self._write_dead(refused)
        _count(scored, dead, refused_dead)
        yield _settled(batch, scored, refused)

    def teardown(self) -> None:
        self._thread.shutdown()

    def _write_scored(self, batch: ScoredRequests) -> Written:
        rows = live_prediction_rows(batch, self._subscription, self._schema)
        return self._tables.predictions.write(insert_rows(rows, rows.column("request_id")))

    def _write_dead(self, batch: ScoredRequests) -> Written:
        """Named by the message too: a client may use one id for two requests."""
        if self._redactor is not None:
            batch = replace(batch, dead=self._redactor.messages(batch.dead))
        letters = self._storage.bounded(live_dead_letter_rows(batch, self._subscription))
        line = letters.column("source_position").cast(pa.string())
        names = letters.column("request_id")
        ids = pc.binary_join_element_wise(letters.column("message_id"), line, names, "/")
        rows = insert_rows(letters, ids)
        written = self._tables.dead_letters.write(rows)
        for index, error in written.errors.items():
            self._storage.set_aside(rows[index], f"{error.reason} ({error.location or 'the row'})")
        return written


class _LiveTables:
    """What the threads of a process share."""

    def __init__(self, plan: StreamingPlan, clock: Clock) -> None:
        client = InsertClient(plan.project)
        dataset = DatasetReference(plan.tables.project, plan.tables.dataset)
        seconds = plan.streaming.write_retry_seconds
        self.predictions, self.dead_letters = (
            TableWriter(dataset.table(name), client, seconds, clock)
            for name in (plan.tables.predictions, plan.tables.dead_letters)
        )


def _refused(batch: ScoredRequests, written: Written) -> ScoredRequests:
    """The rows that their table did not take, as dead ones."""
    dead = batch.dead.slice(0, 0)
    if written.errors:
        indices = batch.positions.take(pa.array(written.errors, pa.int64()))
        payloads = batch.source.payloads.take(indices.to_pylist()).to_pylist()
        dead = dead_batch(
            DeadRow(
                stage=Stage.WRITE,
                code=ErrorCode.WRITE_FAILED if row in written.failed else ErrorCode.WRITE_REFUSED,
                message=f"{error.reason}: {error.message}",
                payload=payload,
                position=position,
                field=error.location,
            )
            for (row, error), position, payload in zip(
                written.errors.items(), indices.to_pylist(), payloads, strict=True
            )
        )
    return replace(
        batch,
        rows=batch.rows.slice(0, 0),
        outputs=batch.outputs.slice(0, 0),
        positions=batch.positions.slice(0, 0),
        dead=dead,
        rows_in=dead.num_rows,
    )


def _settled(batch: ScoredRequests, written: Written, refused: ScoredRequests) -> ScoredRequests:
    """The batch without the refused rows among the scored."""
    if not written.errors:
        return batch
    kept = np.ones(batch.rows.num_rows, bool)
    kept[list(written.errors)] = False
    mask = pa.array(kept)
    return replace(
        batch,
        rows=batch.rows.filter(mask),
        outputs=batch.outputs.filter(mask),
        positions=batch.positions.filter(mask),
        dead=pa.concat_batches([batch.dead, refused.dead]),
    )


def _count(*parts: Written) -> None:
    for name, value in (
        ("insert_requests", sum(part.requests for part in parts)),
        ("write_retries", sum(part.retries for part in parts)),
        ("rows_refused", sum(len(part.errors) for part in parts)),
    ):
        Metrics.counter("nightstream", name).inc(value)
