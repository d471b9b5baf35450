"""Tiny models: weight = weeks / 5, unless told otherwise."""

from __future__ import annotations

import hashlib
import io
import threading
from importlib.metadata import version as installed

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.linear_model import LinearRegression

from beam_jobs.objects import Objects
from beam_jobs.prediction.manifest import ModelColumn, ModelManifest
from beam_jobs.prediction.reference import reference_statistics
from beam_jobs.prediction.versions import publish_version, set_alias

HANGING_WEEKS = 99.0


class Moody:
    """weight = weeks / `per`; refuses weeks below 0 or above `most`, and never answers to
    HANGING_WEEKS."""

    def __init__(self, per: float = 5, most: float = HANGING_WEEKS) -> None:
        self.per = per
        self.most = most

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        weeks = frame["weeks"].to_numpy()
        refused = weeks[(weeks < 0) | (weeks > self.most)]
        if refused.size:
            raise ValueError(f"cannot score {refused.min()}")
        if (weeks == HANGING_WEEKS).any():
            threading.Event().wait()
        return weeks / self.per


def release(
    root: str, version: str, objects: Objects, feature: str = "weeks", model: object | None = None
) -> ModelManifest:
    """Writes the version's folder below `root` and makes it champion; a model is trained unless
    one is given."""
    weeks = np.linspace(20, 45, 26)
    artifact = io.BytesIO()
    joblib.dump(model or _trained(feature, weeks), artifact)
    manifest = ModelManifest(
        name="weights",
        version=version,
        kind="sklearn",
        artifact="model.joblib",
        sha256=hashlib.sha256(artifact.getvalue()).hexdigest(),
        inputs=(ModelColumn(name=feature, type="float"),),
        outputs=(ModelColumn(name="weight", type="float"),),
        libraries={"scikit-learn": installed("scikit-learn")},
        reference=reference_statistics(pa.table({feature: weeks, "weight": weeks / 5})),
        created_at="2026-01-01T00:00:00+00:00",
    )
    publish_version(root, manifest, artifact.getvalue(), objects)
    set_alias(root, "champion", version, objects)
    return manifest


def _trained(feature: str, weeks: np.ndarray) -> LinearRegression:
    return LinearRegression().fit(pd.DataFrame({feature: weeks}), weeks / 5)
