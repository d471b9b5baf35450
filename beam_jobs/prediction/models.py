"""A loaded model: Arrow columns in, Arrow columns out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from beam_jobs.objects import Objects, open_objects
from beam_jobs.prediction.libraries import check_libraries
from beam_jobs.prediction.manifest import ModelKind, ModelManifest
from beam_jobs.prediction.versions import ModelError, open_version, read_artifact

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUT_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
}


class Backend(Protocol):
    """What one kind of model must be able to do: the extension point for a new kind."""

    def predict(self, features: pa.RecordBatch) -> Any:
        """Predictions for the model's input columns, in the order of the manifest.

        An array of n values, or of n rows with one column per output.
        """


class PredictionShapeError(Exception):
    """A model answered with another number of rows or columns than it was asked for."""


class Model:
    """A model version, ready to score; holds to the shapes that its manifest promises."""

    def __init__(self, manifest: ModelManifest, backend: Backend) -> None:
        self.manifest = manifest
        self._backend = backend
        self._inputs = [column.name for column in manifest.inputs]
        self.output_schema = pa.schema(
            [(column.name, OUTPUT_TYPES[column.type]) for column in manifest.outputs]
        )

    def predict(self, features: pa.RecordBatch) -> pa.RecordBatch:
        """The output columns for a batch that holds at least the model's input columns.

        Raises PredictionShapeError, and whatever the model itself raises.
        """
        answer = self._backend.predict(features.select(self._inputs))
        columns = _columns(answer, features.num_rows, len(self.manifest.outputs))
        arrays = [
            pa.array(values, field.type, from_pandas=False)
            for values, field in zip(columns, self.output_schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.output_schema)


def open_model(folder: str, sha256: str) -> Model:
    """The pinned version in a folder, ready to score. Raises ModelError as `load_model`."""
    objects = open_objects(folder)
    return load_model(folder, open_version(folder, objects), sha256, objects)


def load_model(folder: str, manifest: ModelManifest, sha256: str, objects: Objects) -> Model:
    """Opens a version, after its libraries and its checksum have been checked.

    Raises ModelError before anything is unpickled, or when the artifact cannot be read.
    """
    check_libraries(manifest)
    artifact = read_artifact(folder, manifest, sha256, objects)
    try:
        backend = _loader(manifest.kind)(artifact, manifest)
    except Exception as error:
        raise ModelError(
            f"{folder}/{manifest.artifact} cannot be opened as {manifest.kind}: {error!r}. "
            "Remedy: check that kind and artifact in model.json belong together"
        ) from error
    return Model(manifest, backend)


def _loader(kind: ModelKind) -> Callable[[bytes, ModelManifest], Backend]:
    """Each kind's library is imported only by the worker that needs it."""
    if kind == "sklearn":
        from beam_jobs.prediction.sklearn_backend import SklearnBackend

        return SklearnBackend
    if kind == "xgboost":
        from beam_jobs.prediction.xgboost_backend import XGBoostBackend

        return XGBoostBackend
    from beam_jobs.prediction.onnx_backend import OnnxBackend

    return OnnxBackend


def _columns(answer: Any, rows: int, outputs: int) -> list[np.ndarray]:
    """One contiguous array per output. Raises PredictionShapeError."""
    values = np.asarray(answer)
    if values.ndim == 1:
        values = values.reshape(-1, 1)
    if values.shape != (rows, outputs):
        raise PredictionShapeError(
            f"asked for {rows} rows of {outputs} outputs, the model answered with an array of "
            f"shape {np.asarray(answer).shape}"
        )
    return [np.ascontiguousarray(values[:, i]) for i in range(outputs)]
