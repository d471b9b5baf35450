"""ONNX models, run by onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.prediction.manifest import ModelManifest

_NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


class OnnxBackend:
    """A graph with one input of shape (n, 1) per column, or one matrix of all columns."""

    def __init__(self, artifact: bytes, manifest: ModelManifest) -> None:
        self._session = onnxruntime.InferenceSession(artifact, providers=["CPUExecutionProvider"])
        self._types = {i.name: _NUMPY_TYPES[i.type] for i in self._session.get_inputs()}
        by_column = set(self._types) == {column.name for column in manifest.inputs}
        if not by_column and len(self._types) != 1:
            raise ValueError(
                f"the graph takes {sorted(self._types)}, model.json names other columns"
            )
        self._matrix = not by_column
        outputs = [output.name for output in self._session.get_outputs()]
        named = [column.name for column in manifest.outputs]
        self._outputs = named if set(named) <= set(outputs) else outputs[:1]

    def predict(self, features: pa.RecordBatch) -> Any:
        answers = self._session.run(self._outputs, self._feed(features))
        return np.column_stack([np.asarray(a).reshape(len(a), -1) for a in answers])

    def _feed(self, features: pa.RecordBatch) -> dict[str, np.ndarray]:
        if self._matrix:
            (name, type_) = next(iter(self._types.items()))
            columns = [_values(column, type_) for column in features.columns]
            return {name: np.column_stack(columns)}
        return {
            name: _values(features.column(name), type_).reshape(-1, 1)
            for name, type_ in self._types.items()
        }


def _values(column: pa.Array, type_: type) -> np.ndarray:
    """Nulls become NaN in floating inputs and the empty string in text inputs."""
    if type_ is np.object_:
        return np.asarray(pc.fill_null(column, "").to_numpy(zero_copy_only=False), dtype=object)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=type_)
