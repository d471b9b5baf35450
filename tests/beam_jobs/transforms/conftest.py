from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from beam_jobs.rows import DeadRow, dead_batch
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.runs.plan import InputObject
from beam_jobs.transforms.elements import ScoredBatch, SourceRange

SOURCE = SourceRange(InputObject(uri="night/a.csv", generation=1, size=1_000), 0, 1_000)


@pytest.fixture
def scored_batch() -> Callable[..., ScoredBatch]:
    """Makes a batch of weeks and their weights, with some dead rows."""

    def make(
        weeks: Sequence[float], dead: Sequence[ErrorCode] = (), source: SourceRange = SOURCE
    ) -> ScoredBatch:
        column = pa.array(weeks, pa.float64())
        ids = pa.array([f"row-{number}" for number in range(len(weeks))], pa.string())
        return ScoredBatch(
            source=source,
            rows=pa.RecordBatch.from_arrays([ids, column], ["id", "weeks"]),
            outputs=pa.RecordBatch.from_arrays([column], ["weight"]),
            positions=pa.array(range(len(weeks)), pa.int64()),
            dead=dead_batch(
                DeadRow(Stage.VALIDATE, code, "wrong", b"payload", position)
                for position, code in enumerate(dead)
            ),
            rows_in=len(weeks) + len(dead),
            scored_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    return make
