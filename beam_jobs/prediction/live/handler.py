"""The handler that lets Beam's RunInference score requests as they arrive."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import pyarrow as pa
from apache_beam.ml.inference.base import ModelHandler

from beam_jobs.messages.requests import Requests
from beam_jobs.prediction.live.bundles import bundles_under_way
from beam_jobs.prediction.live.giving_up import WatchedCall, give_up
from beam_jobs.prediction.live.last_resort import LastResort
from beam_jobs.prediction.live.model import LiveModel
from beam_jobs.prediction.live.pointer import ModelPointer
from beam_jobs.prediction.live.rows import LiveRows
from beam_jobs.prediction.live.served import ScoredBy, open_served
from beam_jobs.prediction.live.serving import Serving
from beam_jobs.prediction.live.watchdog import Watchdog
from beam_jobs.prediction.scoring import Predicted
from beam_jobs.rows import ValidRows
from beam_jobs.runs.streaming import StreamingPlan

LAST_RESORT_SECONDS = 60.0
"""How much longer than a call that hangs a process may live that runs no Python code at all."""


class LiveBatch(Protocol):
    """An element that carries rows and the requests that they are."""

    @property
    def source(self) -> Requests: ...

    @property
    def rows(self) -> ValidRows: ...

    @property
    def features(self) -> pa.RecordBatch: ...


_Element = TypeVar("_Element", bound=LiveBatch)
_Scored = TypeVar("_Scored")


class LiveModelHandler(ModelHandler[_Element, _Scored, LiveModel]):
    """Scores micro-batches with the plan's model, or the one that it is pointed to; small ones of
    several threads in one call.

    `settle` makes the element that goes on of a batch and what which model said of it. One that
    hangs ends the process; the requests come again and are called one by one, and those that hang
    the model again and again are failed rows with the code PREDICTION_TIMEOUT.
    """

    def __init__(
        self, plan: StreamingPlan, settle: Callable[[_Element, Predicted, ScoredBy], _Scored]
    ) -> None:
        super().__init__()
        self._plan = plan
        self._settle = settle

    def should_skip_batching(self) -> bool:
        """Beam's batching would hold each micro-batch back until its bundle ends, and log so."""
        return True

    def get_preprocess_fns(self) -> list[Callable[[_Element], list[_Element]]]:
        return [_in_a_list]

    def load_model(self) -> LiveModel:
        plan = self._plan
        serving = Serving(ModelPointer(plan), partial(open_served, plan))
        serving.start()
        if plan.refreshes:
            serving.keep_up()
        watchdog = _watchdog(plan.streaming.model_timeout_seconds)
        watchdog.start()
        live = LiveModel(serving, plan.streaming, bundles_under_way, watchdog)
        weakref.finalize(live, serving.close)
        weakref.finalize(live, watchdog.close)
        return live

    def run_inference(
        self,
        batch: Sequence[_Element],
        model: LiveModel,
        inference_args: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> Iterable[_Scored]:
        return [self._settle(element, *model.predict(_live_rows(element))) for element in batch]

    def get_num_bytes(self, batch: Sequence[_Element]) -> int:
        return sum(element.features.nbytes for element in batch)

    def get_metrics_namespace(self) -> str:
        return "nightstream.prediction"


def _in_a_list(element: _Element) -> list[_Element]:
    """Where Beam does not batch, it still calls for sequences of elements."""
    return [element]


def _live_rows(batch: LiveBatch) -> LiveRows:
    return LiveRows(batch.features, batch.rows.positions, batch.source)


def _watchdog(seconds: float) -> Watchdog[WatchedCall]:
    last_resort = LastResort(seconds + LAST_RESORT_SECONDS)
    return Watchdog(seconds, lambda calls: give_up(calls, seconds), last_resort)
