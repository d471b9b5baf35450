"""The handler that lets Beam's RunInference score Arrow batches by an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from apache_beam.ml.inference.base import RemoteModelHandler

from beam_jobs.prediction.handler import HasFeatures
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.remote.model import RemoteModel
from beam_jobs.prediction.remote.opening import open_remote
from beam_jobs.prediction.remote.throttle import NAMESPACE
from beam_jobs.prediction.scoring import Predicted
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec.model import EndpointSpec

_Element = TypeVar("_Element", bound=HasFeatures)
_Scored = TypeVar("_Scored")


class EndpointHandler(RemoteModelHandler[_Element, _Scored, RemoteModel]):
    """Asks the pinned endpoint for the predictions of whole batches.

    Beam's retries are off: it would send a whole batch again, with all the requests of it that
    were answered. `settle` makes the element that goes on of a batch and what became of its rows.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        pin: EndpointPin,
        spec: EndpointSpec,
        settle: Callable[[_Element, Predicted], _Scored],
    ) -> None:
        super().__init__(namespace=NAMESPACE, num_retries=0, retry_filter=_never)
        self._manifest = manifest
        self._pin = pin
        self._spec = spec
        self._settle = settle

    def create_client(self) -> RemoteModel:
        return open_remote(self._manifest, self._pin, self._spec)

    def request(
        self,
        batch: Sequence[_Element],
        model: RemoteModel,
        inference_args: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> Iterable[_Scored]:
        return [self._settle(element, model.score(element.features)) for element in batch]

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """An element is a batch already."""
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_num_bytes(self, batch: Sequence[_Element]) -> int:
        return sum(element.features.nbytes for element in batch)

    def get_metrics_namespace(self) -> str:
        return "nightstream.prediction"


def _never(error: Exception) -> bool:  # noqa: ARG001
    return False
