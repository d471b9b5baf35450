"""Trains the babyweight model on the real births and writes its version folder.

python -m examples.babyweight.train --models gs://nightstream-models/babyweight --alias champion
"""

from __future__ import annotations

import argparse
import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from beam_jobs.objects import open_objects
from beam_jobs.prediction.manifest import ModelColumn, ModelKind, ModelManifest
from beam_jobs.prediction.reference import reference_statistics
from beam_jobs.prediction.versions import publish_version, set_alias
from examples.babyweight.births import (
    FEATURES,
    PLURALITIES,
    SEXES,
    TARGET,
    training_births,
    without_ultrasound,
)

OUTPUT = "predicted_weight_pounds"


class Trained(NamedTuple):
    """A fitted model in the form its kind is stored in."""

    predict: Callable[[pd.DataFrame], np.ndarray]
    artifact: str
    content: Callable[[], bytes]
    libraries: tuple[str, ...]


def train_sklearn(births: pd.DataFrame) -> Trained:
    """Ridge regression over splines of weeks and age, and one-hot sex and plurality."""
    pipeline = _pipeline(_splines()).fit(births[FEATURES], births[TARGET])

    def content() -> bytes:
        buffer = io.BytesIO()
        joblib.dump(pipeline, buffer)
        return buffer.getvalue()

    return Trained(
        lambda rows: pipeline.predict(rows[FEATURES]), "model.joblib", content, ("scikit-learn",)
    )


def train_xgboost(births: pd.DataFrame) -> Trained:
    """Boosted trees; sex and plurality are categorical features."""
    import xgboost

    def matrix(rows: pd.DataFrame, label: Any = None) -> xgboost.DMatrix:
        frame = rows[FEATURES].astype({"is_male": "category", "plurality": "category"})
        return xgboost.DMatrix(frame, label=label, enable_categorical=True)

    settings = {"max_depth": 3, "eta": 0.1, "seed": 0, "nthread": 1}
    booster = xgboost.train(settings, matrix(births, births[TARGET]), num_boost_round=60)
    return Trained(
        lambda rows: booster.predict(matrix(rows)),
        "model.ubj",
        lambda: bytes(booster.save_raw("ubj")),
        ("xgboost-cpu",),
    )


def train_onnx(births: pd.DataFrame) -> Trained:
    """The same regression over cubic terms, as a graph with one input per column."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    pipeline = _pipeline(_cubic_terms()).fit(births[FEATURES], births[TARGET])
    text = {"is_male", "plurality"}
    inputs = [
        (name, StringTensorType([None, 1]) if name in text else FloatTensorType([None, 1]))
        for name in FEATURES
    ]
    return Trained(
        lambda rows: pipeline.predict(rows[FEATURES]),
        "model.onnx",
        lambda: bytes(to_onnx(pipeline, initial_types=inputs).SerializeToString()),
        ("onnxruntime",),
    )


TRAINERS: dict[ModelKind, Callable[[pd.DataFrame], Trained]] = {
    "sklearn": train_sklearn,
    "xgboost": train_xgboost,
    "onnx": train_onnx,
}


def cross_validated_rmse(
    births: pd.DataFrame, train: Callable[[pd.DataFrame], Trained], folds: int = 10
) -> float:
    """Root mean squared error in pounds over held-out births, as they are fully known."""
    errors = []
    for fit, held_out in KFold(folds, shuffle=True, random_state=0).split(births):
        model = train(_with_masked_copies(births.iloc[fit]))
        rows = births.iloc[held_out]
        errors.append(model.predict(rows) - rows[TARGET].to_numpy())
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


def build_version(
    kind: ModelKind, version: str, most_births: int | None = None
) -> tuple[ModelManifest, bytes]:
    """A trained version: its description and its artifact.

    most_births: learn from so many births only, always the same ones.
    """
    births = training_births()
    if most_births is not None:
        births = births.sample(min(most_births, len(births)), random_state=0)
    rows = _with_masked_copies(births)
    trained = TRAINERS[kind](rows)
    content = trained.content()
    reference = pa.table(
        {
            **{name: pa.array(rows[name].to_numpy()) for name in FEATURES},
            OUTPUT: pa.array(np.asarray(trained.predict(rows), dtype=np.float64)),
        }
    )
    types = {"is_male": "string", "plurality": "string"}
    manifest = ModelManifest(
        name="babyweight",
        version=version,
        kind=kind,
        artifact=trained.artifact,
        sha256=hashlib.sha256(content).hexdigest(),
        inputs=tuple(
            ModelColumn.model_validate({"name": name, "type": types.get(name, "float")})
            for name in FEATURES
        ),
        outputs=(ModelColumn(name=OUTPUT, type="float"),),
        libraries={name: installed(name) for name in trained.libraries},
        metrics={
            "cv_rmse_pounds": cross_validated_rmse(births, TRAINERS[kind]),
            "mean_only_rmse_pounds": float(births[TARGET].std()),
        },
        reference=reference_statistics(reference),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        training_data=f"{len(births):,} North Carolina births of 2001, and the same without an "
        "ultrasound",
    )
    return manifest, content


def _with_masked_copies(births: pd.DataFrame) -> pd.DataFrame:
    """Requests without an ultrasound would otherwise hold categories the model never saw."""
    return pd.concat([births, without_ultrasound(births)], ignore_index=True)


def _splines() -> list[Any]:
    """Level beyond the ages and weeks seen in training, so that no prediction runs away there."""
    weeks = SplineTransformer(n_knots=5, degree=3, extrapolation="constant")
    age = SplineTransformer(n_knots=4, degree=2, extrapolation="constant")
    return [("weeks", weeks, ["gestation_weeks"]), ("age", age, ["mother_age"])]


def _cubic_terms() -> list[Any]:
    """What ONNX has operators for."""
    terms = make_pipeline(StandardScaler(), PolynomialFeatures(3, include_bias=False))
    return [("terms", terms, ["gestation_weeks", "mother_age"])]


def _pipeline(curves: list[Any]) -> Pipeline:
    columns = ColumnTransformer(
        [
            (
                "known_values",
                OneHotEncoder(
                    categories=[SEXES, PLURALITIES], handle_unknown="ignore", sparse_output=False
                ),
                ["is_male", "plurality"],
            ),
            *curves,
        ]
    )
    return make_pipeline(columns, Ridge(1.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", required=True, help="folder of the service's versions")
    parser.add_argument("--version", default="v1")
    parser.add_argument("--kind", choices=sorted(TRAINERS), default="sklearn")
    parser.add_argument("--births", type=int, help="learn from so many only, of 1,175")
    parser.add_argument("--alias", help="point this alias to the new version, as in champion")
    arguments = parser.parse_args()

    manifest, content = build_version(arguments.kind, arguments.version, arguments.births)
    root = arguments.models.rstrip("/")
    objects = open_objects(root)
    version = publish_version(root, manifest, content, objects)
    if arguments.alias:
        set_alias(root, arguments.alias, version.name, objects)
    metrics = ", ".join(f"{name} {value:.3f}" for name, value in manifest.metrics.items())
    print(f"{version.folder}: {manifest.kind}, {metrics}")


if __name__ == "__main__":
    main()
