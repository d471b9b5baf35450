"""A model version: a folder with one artifact and this description of it, `model.json`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared
from beam_jobs.spec.fields import FieldType

MANIFEST_NAME = "model.json"

ModelKind = Literal["sklearn", "xgboost", "onnx"]


class ModelColumn(Declared):
    name: str
    type: FieldType


class NumericReference(Declared):
    """Distribution of a numeric column in the training data."""

    edges: tuple[float, ...]
    """n+1 ascending bin edges, finite."""
    counts: tuple[int, ...]
    """n counts."""
    nulls: int = 0
    mean: float
    std: float


class CategoricalReference(Declared):
    """Distribution of a categorical column in the training data."""

    values: dict[str, int]
    nulls: int = 0


class ReferenceStatistics(Declared):
    """The training data, as far as drift is measured against it."""

    rows: int
    numeric: dict[str, NumericReference] = {}
    categorical: dict[str, CategoricalReference] = {}
    """By column name; input columns and output columns alike."""


class ModelManifest(Declared):
    """Everything that must be known of a model before its artifact is opened."""

    name: str
    version: str
    kind: ModelKind
    artifact: str
    """File name beside model.json."""
    sha256: Annotated[str, Constrained(pattern=r"^[0-9a-f]{64}$")]
    inputs: Annotated[tuple[ModelColumn, ...], Constrained(min_length=1)]
    """In the order in which the model takes them."""
    outputs: Annotated[tuple[ModelColumn, ...], Constrained(min_length=1)]
    libraries: dict[str, str]
    """Distribution name to version, of every library needed to load the artifact."""
    metrics: dict[str, float] = {}
    reference: ReferenceStatistics
    created_at: str
    training_data: str = ""
