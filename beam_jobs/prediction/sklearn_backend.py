"""scikit-learn models, stored by joblib."""

from __future__ import annotations

import io
from typing import Any

import joblib
import pyarrow as pa

from beam_jobs.prediction.manifest import ModelManifest


class SklearnBackend:
    """Any estimator whose `predict` takes a data frame with the manifest's input columns."""

    def __init__(self, artifact: bytes, manifest: ModelManifest) -> None:  # noqa: ARG002
        self._estimator = joblib.load(io.BytesIO(artifact))

    def predict(self, features: pa.RecordBatch) -> Any:
        return self._estimator.predict(features.to_pandas())
