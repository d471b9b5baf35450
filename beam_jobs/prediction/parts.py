"""Predictions of several batches made of those of one, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from beam_jobs.prediction.scoring import FailedRows, Predicted


def parted(predicted: Predicted, sizes: Sequence[int]) -> Iterator[Predicted]:
    """What became of each of the batches, of those sizes, that were predicted one after another."""
    start = 0
    for size in sizes:
        yield _slice(predicted, start, start + size)
        start += size


def _slice(predicted: Predicted, start: int, end: int) -> Predicted:
    if predicted.indices is None:
        return predicted._replace(outputs=predicted.outputs.slice(start, end - start))
    first, last = np.searchsorted(predicted.indices, (start, end))
    failed = predicted.failed
    first_failed, last_failed = np.searchsorted(failed.indices, (start, end))
    return Predicted(
        predicted.indices[first:last] - start,
        predicted.outputs.slice(first, last - first),
        FailedRows(
            failed.indices[first_failed:last_failed] - start,
            failed.codes[first_failed:last_failed],
            failed.messages[first_failed:last_failed],
        ),
    )


def joined(parts: Sequence[tuple[np.ndarray, Predicted]]) -> Predicted:
    """What became of a batch whose rows were predicted apart; at least one part.

    Each part says which rows of the batch it is about (int64, ascending).
    """
    scored = np.concatenate([_scored_rows(rows, part) for rows, part in parts])
    order = np.argsort(scored)
    outputs = pa.concat_batches([part.outputs for _, part in parts])
    failures = sorted(
        failure
        for rows, part in parts
        for failure in zip(
            rows[part.failed.indices].tolist(),
            part.failed.codes,
            part.failed.messages,
            strict=True,
        )
    )
    failed = FailedRows(
        np.asarray([row for row, _, _ in failures], np.int64),
        [code for _, code, _ in failures],
        [message for _, _, message in failures],
    )
    return Predicted(scored[order], outputs.take(pa.array(order)), failed)


def _scored_rows(rows: np.ndarray, part: Predicted) -> np.ndarray:
    return rows if part.indices is None else rows[part.indices]
