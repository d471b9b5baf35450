"""Counts what was written, and how long that took; visible while the job runs."""

from __future__ import annotations

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.metrics.metric import Metrics

from beam_jobs.transforms.account import error_codes
from beam_jobs.transforms.elements import ScoredRequests

NAMESPACE = "nightstream"
LATENCY_BOUNDS_MS = (50, 100, 150, 250, 400, 600, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
"""For each a counter of the rows that took no longer, from which percentiles can be read."""


class AccountLive(beam.DoFn):
    """ScoredRequests → metrics alone, of rows that stand in their tables.

    Counters: `requests`, `scored`, `dead`, `dead_<error code>`, `batches` and
    `publish_to_scored_ms_le_<bound>`. Distributions: `rows_per_batch`, `publish_to_scored_ms` of
    scored rows. Gauge: `last_event_time_ms`, milliseconds since the epoch, of what happened last;
    an event that says that it happens later than it was published counts from then.
    """

    def __init__(self) -> None:
        self._latency = Metrics.distribution(NAMESPACE, "publish_to_scored_ms")
        self._last_event = Metrics.gauge(NAMESPACE, "last_event_time_ms")
        self._latest: int | None = None

    def process(self, batch: ScoredRequests) -> None:
        scored, dead = batch.outputs.num_rows, batch.dead.num_rows
        _count("batches", 1)
        _count("requests", scored + dead)
        _count("scored", scored)
        _count("dead", dead)
        for code, rows in error_codes(batch.dead).items():
            _count(f"dead_{code}", rows)
        Metrics.distribution(NAMESPACE, "rows_per_batch").update(scored + dead)
        self._measure_latency(batch)
        self._note_events(batch)

    def _measure_latency(self, batch: ScoredRequests) -> None:
        published = batch.source.identity.column("published_at").take(batch.positions)
        took = _milliseconds(pa.scalar(batch.scored_at, published.type), published)
        for milliseconds in took.tolist():
            self._latency.update(milliseconds)
        within = np.searchsorted(np.sort(took), LATENCY_BOUNDS_MS, "right")
        for bound, rows in zip(LATENCY_BOUNDS_MS, within.tolist(), strict=True):
            _count(f"publish_to_scored_ms_le_{bound}", rows)

    def _note_events(self, batch: ScoredRequests) -> None:
        who = batch.source.identity
        micros = (who.column(name).cast(pa.int64()) for name in ("event_time", "published_at"))
        latest: int | None = pc.max(pc.min_element_wise(*micros)).as_py()
        if latest is not None and (self._latest is None or latest > self._latest):
            self._latest = latest
            self._last_event.set(latest // 1_000)


def _count(name: str, rows: int) -> None:
    if rows:
        Metrics.counter(NAMESPACE, name).inc(rows)


def _milliseconds(until: pa.Scalar, since: pa.Array) -> np.ndarray:
    micros = until.value - since.cast(pa.int64()).to_numpy()
    # Clocks differ: what was published later than it was scored took no time.
    return np.maximum(micros // 1_000, 0)
