"""scikit-learn models, stored by joblib."""

from __future__ import annotations

import io
from typing import Any

import joblib
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from beam_jobs.prediction.manifest import ModelManifest


class SklearnBackend:
    """Any estimator whose `predict` takes a data frame with the manifest's input columns."""

    def __init__(self, artifact: bytes, manifest: ModelManifest) -> None:  # noqa: ARG002
        self._estimator = joblib.load(io.BytesIO(artifact))
        # Batches are what runs side by side here. BLAS threads gain nothing on products as narrow
        # as a model's rows, and their busy waiting takes a third more processor time; trees keep
        # their OpenMP threads. In force for the whole process.
        threadpool_limits(1, user_api="blas")

    def predict(self, features: pa.RecordBatch) -> Any:
        return self._estimator.predict(features.to_pandas())
