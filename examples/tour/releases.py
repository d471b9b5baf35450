"""A release of the model that a tired person made."""

from __future__ import annotations

import hashlib
import io

import joblib
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from beam_jobs.objects import Objects
from beam_jobs.prediction.versions import open_version, publish_version
from examples.babyweight.births import FEATURES, TARGET, load_births


def careless_model() -> Pipeline:
    """It has never seen a birth without an ultrasound, and raises where it meets one: that is one
    request in three."""
    births = load_births()
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="error", sparse_output=False), ["is_male", "plurality"]),
        remainder="passthrough",
    )
    return make_pipeline(columns, Ridge(1.0)).fit(births[FEATURES], births[TARGET])


def publish_careless(root: str, version: str, like: str, objects: Objects) -> None:
    """Writes the careless model's version, which looks as sound as another one of scikit-learn."""
    artifact = io.BytesIO()
    joblib.dump(careless_model(), artifact)
    content = artifact.getvalue()
    manifest = open_version(f"{root}/{like}", objects).model_copy(
        update={"version": version, "sha256": hashlib.sha256(content).hexdigest(), "metrics": {}}
    )
    publish_version(root, manifest, content, objects)
