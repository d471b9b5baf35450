"""The versions of a release, opened for an evaluation."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from beam_jobs.prediction.models import Model, open_model
from beam_jobs.prediction.origin import check_origin
from beam_jobs.prediction.scoring import predict_rows
from beam_jobs.runs.plan import ModelPin


def open_pinned(pin: ModelPin, models_root: str) -> Model:
    """The version, as pinned. Raises ModelError before anything is unpickled where it does not lie
    in the models bucket, or is another artifact by now."""
    check_origin(pin.uri, models_root)
    return open_model(pin.uri, pin.sha256)


def predictions(model: Model, rows: pa.RecordBatch, output: str, batch_rows: int) -> np.ndarray:
    """One output for each row (float64), as a worker scores them: so many at a time, and NaN where
    the model gives no number."""
    parts = [np.empty(0)]
    for start in range(0, rows.num_rows, batch_rows):
        parts.append(_scored(model, rows.slice(start, batch_rows), output))
    return np.concatenate(parts)


def _scored(model: Model, batch: pa.RecordBatch, output: str) -> np.ndarray:
    predicted = predict_rows(model, batch)
    column = predicted.outputs.column(output).cast(pa.float64())
    values = column.to_numpy(zero_copy_only=False)
    if predicted.indices is None:
        return values
    scored = np.full(batch.num_rows, np.nan)
    scored[predicted.indices] = values
    return scored
