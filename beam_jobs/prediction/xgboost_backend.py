"""XGBoost models, in XGBoost's own format (.ubj or .json)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import xgboost

from beam_jobs.prediction.manifest import ModelManifest


class XGBoostBackend:
    """A booster; string inputs are its categorical features."""

    def __init__(self, artifact: bytes, manifest: ModelManifest) -> None:  # noqa: ARG002
        self._booster = xgboost.Booster()
        self._booster.load_model(bytearray(artifact))

    def predict(self, features: pa.RecordBatch) -> Any:
        frame = features.to_pandas()
        text = [field.name for field in features.schema if pa.types.is_string(field.type)]
        frame = frame.astype(dict.fromkeys(text, "category"))
        return self._booster.predict(xgboost.DMatrix(frame, enable_categorical=bool(text)))
