"""A failing batch is narrowed to the rows that make it fail, at a bounded cost."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.manifest import (
    ModelColumn,
    ModelManifest,
    ReferenceStatistics,
)
from beam_jobs.prediction.models import Model
from beam_jobs.prediction.scoring import MAX_CALLS, predict_rows

MANIFEST = ModelManifest(
    name="doubling",
    version="v1",
    kind="sklearn",
    artifact="none",
    sha256="0" * 64,
    inputs=(ModelColumn(name="x", type="float"),),
    outputs=(ModelColumn(name="y", type="float"),),
    libraries={},
    reference=ReferenceStatistics(rows=0),
    created_at="2026-01-01T00:00:00+00:00",
)


class RaisesOnNegatives:
    """Doubles its input; refuses a whole batch for one negative value, as libraries do."""

    def __init__(self) -> None:
        self.calls = 0

    def predict(self, features: pa.RecordBatch) -> np.ndarray:
        self.calls += 1
        values = features.column(0).to_numpy()
        if (values < 0).any():
            raise ValueError(f"cannot score {values.min()}")
        return values * 2


def features(values: list[float]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, pa.float64())], ["x"])


def test_a_good_batch_costs_one_call() -> None:
    backend = RaisesOnNegatives()
    predicted = predict_rows(Model(MANIFEST, backend), features([1, 2, 3]))
    assert backend.calls == 1
    assert predicted.indices is None
    assert predicted.outputs.column("y").to_pylist() == [2, 4, 6]


def test_only_the_failing_row_fails_and_says_why() -> None:
    rows = [float(i) for i in range(50)]
    rows[17] = -1.0
    predicted = predict_rows(Model(MANIFEST, RaisesOnNegatives()), features(rows))
    assert predicted.failed.indices.tolist() == [17]
    assert predicted.failed.messages == ["ValueError: cannot score -1.0"]
    assert predicted.outputs.num_rows == 49


@given(
    st.integers(1, 300).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), max_size=5))
    )
)
def test_every_row_is_scored_or_failed_within_k_log_n_calls(case: tuple[int, set[int]]) -> None:
    n, bad = case
    backend = RaisesOnNegatives()
    rows = [-1.0 if i in bad else float(i) for i in range(n)]
    predicted = predict_rows(Model(MANIFEST, backend), features(rows))
    scored = range(n) if predicted.indices is None else predicted.indices.tolist()
    assert set(scored) == set(range(n)) - bad
    assert predicted.failed.indices.tolist() == sorted(bad)
    assert predicted.outputs.column("y").to_pylist() == [2.0 * i for i in scored]
    assert backend.calls <= 1 + 2 * len(bad) * math.ceil(math.log2(max(n, 2)))


def test_a_model_that_always_raises_costs_a_bounded_number_of_calls() -> None:
    backend = RaisesOnNegatives()
    predicted = predict_rows(Model(MANIFEST, backend), features([-1.0] * 10_000))
    assert backend.calls <= MAX_CALLS
    assert len(predicted.failed.indices) == 10_000
    assert predicted.outputs.num_rows == 0
    assert predicted.outputs.schema == Model(MANIFEST, backend).output_schema
