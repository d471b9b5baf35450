"""The handler that lets Beam's RunInference score Arrow batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import pyarrow as pa
from apache_beam.ml.inference.base import ModelHandler

from beam_jobs.prediction.models import Model, open_model
from beam_jobs.prediction.scoring import Predicted, predict_rows


class HasFeatures(Protocol):
    """An element that carries a batch of rows, with a column per model input."""

    @property
    def features(self) -> pa.RecordBatch: ...


_Element = TypeVar("_Element", bound=HasFeatures)
_Scored = TypeVar("_Scored")


class ArrowModelHandler(ModelHandler[_Element, _Scored, Model]):
    """Loads a pinned model version once per process, and scores whole batches with it.

    An element is a batch already, so RunInference is told to collect no further. `settle` makes
    the element that goes on of a batch and what the model said of it.
    """

    def __init__(
        self, folder: str, sha256: str, settle: Callable[[_Element, Predicted], _Scored]
    ) -> None:
        super().__init__(min_batch_size=1, max_batch_size=1)
        self._folder = folder
        self._sha256 = sha256
        self._settle = settle

    def load_model(self) -> Model:
        return open_model(self._folder, self._sha256)

    def run_inference(
        self,
        batch: Sequence[_Element],
        model: Model,
        inference_args: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> Iterable[_Scored]:
        return [self._settle(rows, predict_rows(model, rows.features)) for rows in batch]

    def get_num_bytes(self, batch: Sequence[_Element]) -> int:
        return sum(element.features.nbytes for element in batch)

    def get_metrics_namespace(self) -> str:
        return "nightstream.prediction"
