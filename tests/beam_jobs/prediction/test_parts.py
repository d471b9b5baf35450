"""Predictions are taken apart and put together without a row lost or moved."""

from __future__ import annotations

from random import Random

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.parts import joined, parted
from beam_jobs.prediction.scoring import FailedRows, Predicted
from beam_jobs.runs.dead_letter import ErrorCode

verdicts = st.lists(st.booleans(), min_size=1, max_size=12)
"""Of each row, whether it was scored."""


def predicted_of(rows: np.ndarray, scored: np.ndarray) -> Predicted:
    """Row r's prediction is r / 5, or its failure says r."""
    outputs = pa.RecordBatch.from_arrays([pa.array(rows[scored] / 5, pa.float64())], ["weight"])
    bad = np.flatnonzero(~scored)
    failed = FailedRows(
        bad, [ErrorCode.PREDICTION_FAILED] * len(bad), [f"row {rows[row]}" for row in bad]
    )
    return Predicted(None if scored.all() else np.flatnonzero(scored), outputs, failed)


def told(predicted: Predicted, size: int) -> list[float | str]:
    """What is said of each row, in their order."""
    rows: list[float | str] = [""] * size
    scored = range(size) if predicted.indices is None else predicted.indices.tolist()
    for row, weight in zip(scored, predicted.outputs.column("weight").to_pylist(), strict=True):
        rows[row] = weight
    failed = predicted.failed
    for row, message in zip(failed.indices.tolist(), failed.messages, strict=True):
        rows[row] = message
    return rows


@given(st.lists(verdicts, min_size=1, max_size=5))
def test_each_part_is_told_what_became_of_its_own_rows(parts: list[list[bool]]) -> None:
    scored = np.array([verdict for part in parts for verdict in part])
    whole = predicted_of(np.arange(len(scored)), scored)

    apart = list(parted(whole, [len(part) for part in parts]))

    assert [
        row for part, own in zip(apart, parts, strict=True) for row in told(part, len(own))
    ] == (told(whole, len(scored)))


@given(verdicts, st.randoms(use_true_random=False))
def test_parts_are_joined_in_the_order_of_the_rows(verdicts: list[bool], random: Random) -> None:
    scored = np.array(verdicts)
    of_part = np.array([random.randrange(3) for _ in verdicts])
    parts = [np.flatnonzero(of_part == part) for part in range(3)]

    whole = joined([(rows, predicted_of(rows, scored[rows])) for rows in parts if len(rows)])

    rows = np.arange(len(scored))
    assert told(whole, len(scored)) == told(predicted_of(rows, scored), len(scored))
    assert whole.failed.indices.tolist() == sorted(whole.failed.indices.tolist())
    assert len(whole.failed.codes) == len(whole.failed.messages) == np.sum(~scored)
