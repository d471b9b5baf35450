"""Scores a batch; a failing batch is narrowed to the rows that make it fail."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from beam_jobs.runs.dead_letter import ErrorCode

MAX_CALLS = 512
"""Calls of the model that one failing batch may cost."""

SAID_OF_MODEL = ("deployed_model_id", "model_version")
"""Columns (string) that an endpoint's answers add to the outputs: which deployed model predicted
the row, and which version that is."""


class ModelUnavailableError(Exception):
    """The model cannot be asked; no row is to blame, so nothing is narrowed."""


class UnscorableError(Exception):
    """Rows that a model does not score; alone, a row is a dead letter with that code."""

    def __init__(self, message: str, code: ErrorCode) -> None:
        super().__init__(message)
        self.code = code


class Predicts(Protocol):
    """What scoring asks of a model; `beam_jobs.prediction.models.Model` is one."""

    @property
    def output_schema(self) -> pa.Schema: ...

    def predict(self, features: pa.RecordBatch) -> pa.RecordBatch: ...


class FailedRows(NamedTuple):
    """Rows that the model would not score."""

    indices: np.ndarray
    """int64, ascending, into the batch."""
    codes: list[ErrorCode]
    messages: list[str]


class Predicted(NamedTuple):
    """What came of one batch: the rows that were scored, and those that were not."""

    indices: np.ndarray | None
    """int64, ascending, of the scored rows; None when all of them were."""
    outputs: pa.RecordBatch
    """One row per scored row."""
    failed: FailedRows


NONE_FAILED = FailedRows(np.empty(0, np.int64), [], [])


def predict_rows(
    model: Predicts, features: pa.RecordBatch, max_calls: int = MAX_CALLS
) -> Predicted:
    """Predictions of every row that can be scored.

    One call when all goes well. A call that raises is halved until the failing rows stand alone:
    k bad rows of n cost O(k log n) calls. Once `max_calls` are spent, what is still failing is
    failed as a whole, so that a model that always raises does not cost a call per row.

    Raises ModelUnavailableError when the model does.
    """
    if not features.num_rows:
        return Predicted(None, _joined([], model), NONE_FAILED)
    try:
        return Predicted(None, model.predict(features), NONE_FAILED)
    except ModelUnavailableError:
        raise
    except Exception as error:
        return _bisect(model, features, error, max_calls - 1)


def _bisect(model: Predicts, features: pa.RecordBatch, error: Exception, calls: int) -> Predicted:
    scored: list[tuple[int, pa.RecordBatch]] = []
    failed: dict[int, Exception] = {}
    pending = [(0, features.num_rows, error)]
    while pending:
        start, length, error = pending.pop()
        if length == 1 or calls < 2:
            failed.update(dict.fromkeys(range(start, start + length), error))
            continue
        half = length // 2
        calls -= 2
        for begin, size in ((start + half, length - half), (start, half)):
            try:
                scored.append((begin, model.predict(features.slice(begin, size))))
            except ModelUnavailableError:
                raise
            except Exception as reason:
                pending.append((begin, size, reason))
    scored.sort(key=lambda part: part[0])
    indices = [np.arange(start, start + part.num_rows) for start, part in scored]
    return Predicted(
        np.concatenate([np.empty(0, np.int64), *indices]),
        _joined([part for _, part in scored], model),
        _failed_rows(failed),
    )


def _failed_rows(errors: dict[int, Exception]) -> FailedRows:
    rows = sorted(errors)
    reasons = [errors[row] for row in rows]
    return FailedRows(np.asarray(rows, np.int64), [*map(_code, reasons)], [*map(_message, reasons)])


def _joined(parts: list[pa.RecordBatch], model: Predicts) -> pa.RecordBatch:
    if parts:
        return pa.concat_batches(parts)
    return pa.RecordBatch.from_pylist([], model.output_schema)


def _code(error: Exception) -> ErrorCode:
    return error.code if isinstance(error, UnscorableError) else ErrorCode.PREDICTION_FAILED


def _message(error: Exception) -> str:
    if isinstance(error, UnscorableError):
        return str(error)[:1_000]
    return f"{type(error).__name__}: {error}"[:1_000]
