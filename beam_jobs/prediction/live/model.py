"""The model in service, shared by all threads of a worker process."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
from apache_beam.metrics.metric import Metrics

from beam_jobs.prediction.live.bundles import BundlesUnderWay
from beam_jobs.prediction.live.giving_up import WatchedCall
from beam_jobs.prediction.live.merging import CallBounds, MergedCalls
from beam_jobs.prediction.live.rows import Call, LiveRows
from beam_jobs.prediction.live.served import ScoredBy, Served
from beam_jobs.prediction.live.serving import Serving
from beam_jobs.prediction.live.suspects import Suspects, Treatment, treatment
from beam_jobs.prediction.live.watchdog import Watchdog
from beam_jobs.prediction.parts import joined, parted
from beam_jobs.prediction.remote.model import RemoteModel
from beam_jobs.prediction.scoring import NONE_FAILED, FailedRows, Predicted, Predicts, predict_rows
from beam_jobs.runs.dead_letter import ErrorCode
from beam_jobs.spec.streaming import StreamingSpec

NAMESPACE = "nightstream"


class LiveModel:
    """Merges the calls of its threads, watches over each, and calls suspects alone.

    All rows of a batch are scored by one model, however often that is exchanged meanwhile.

    Counts `model_calls`, `rows_per_call`, `model_refreshes` (and the models that could not be
    loaded, `models_refused`); the calls that narrow a failing one
    down to its failing rows are counted as `model_calls_bisecting` instead.
    """

    def __init__(
        self,
        serving: Serving,
        spec: StreamingSpec,
        bundles: BundlesUnderWay,
        watchdog: Watchdog[WatchedCall],
    ) -> None:
        self._serving = serving
        self._timeout_seconds = spec.model_timeout_seconds
        self._max_attempts = spec.max_attempts
        self._watchdog = watchdog
        bounds = CallBounds(spec.batch.rows, spec.batch.bytes, spec.batch.wait_milliseconds / 1e3)
        self._merged = MergedCalls(self._call_for_all, bounds, bundles)
        self._calls = Metrics.counter(NAMESPACE, "model_calls")
        self._bisecting = Metrics.counter(NAMESPACE, "model_calls_bisecting")
        self._rows = Metrics.distribution(NAMESPACE, "rows_per_call")
        self._refreshes = Metrics.counter(NAMESPACE, "model_refreshes")
        self._refused = Metrics.counter(NAMESPACE, "models_refused")
        self._counted = (0, 0)
        self._counting = threading.Lock()

    def predict(self, rows: LiveRows) -> tuple[Predicted, ScoredBy]:
        """Predictions of every row that can be scored, and which model they are of.

        Does not return when the model hangs: then the process ends.
        """
        served = self._serving.now
        if not len(rows):
            return Predicted(None, _no_outputs(served), NONE_FAILED), served.by
        suspects = served.suspects.now
        if not suspects or suspects.keys().isdisjoint(keys := rows.request_keys()):
            return self._merged.answer(rows, len(rows), rows.features.nbytes)
        treatments = [treatment(suspects.get(key), self._max_attempts) for key in keys]
        return self._treat(rows, np.array(treatments), suspects, served), served.by

    def _treat(
        self, rows: LiveRows, treatments: np.ndarray, suspects: Suspects, served: Served
    ) -> Predicted:
        parts: list[tuple[np.ndarray, Predicted]] = []
        unsuspected = np.flatnonzero(treatments == Treatment.MERGE)
        if len(unsuspected):
            # Not merged with those of other batches, which another model may answer by now.
            parts.append((unsuspected, self._call([rows.take(unsuspected)], served)))
        for index in np.flatnonzero(treatments == Treatment.CALL_ALONE):
            row = np.array([index])
            parts.append((row, self._call([rows.take(row)], served)))
        given_up = np.flatnonzero(treatments == Treatment.GIVE_UP)
        if len(given_up):
            failed = self._given_up(rows.take(given_up), suspects)
            parts.append((given_up, Predicted(np.empty(0, np.int64), _no_outputs(served), failed)))
        return joined(parts)

    def _given_up(self, rows: LiveRows, suspects: Suspects) -> FailedRows:
        codes = [ErrorCode.PREDICTION_TIMEOUT] * len(rows)
        messages = [
            f"the model did not answer this request alone within {self._timeout_seconds:g} s, "
            f"{suspects[key].alone} time(s)"
            for key in rows.request_keys()
        ]
        return FailedRows(np.arange(len(rows)), codes, messages)

    def _call_for_all(self, call: Call) -> list[tuple[Predicted, ScoredBy]]:
        served = self._serving.now
        predicted = self._call(call, served)
        return [(part, served.by) for part in parted(predicted, [len(rows) for rows in call])]

    def _call(self, call: Call, served: Served) -> Predicted:
        features = pa.concat_batches([rows.features for rows in call])
        self._calls.inc()
        self._rows.update(features.num_rows)
        self._count_refreshes()
        if isinstance(served.model, RemoteModel):
            # Its requests have time limits of their own, and it narrows them itself.
            return served.model.score(features)
        watched = WatchedCall(call, served.suspects.folder)
        model = _Watched(served.model, self._watchdog, watched)
        # Enough calls for every row to get its own verdict: no request fails for its neighbours.
        predicted = predict_rows(model, features, max_calls=2 * features.num_rows)
        self._bisecting.inc(model.calls - 1)
        return predicted

    def _count_refreshes(self) -> None:
        """Here, since Beam counts only what is counted by a thread that processes a bundle."""
        with self._counting:
            known, self._counted = self._counted, (self._serving.refreshes, self._serving.refused)
            refreshed, refused = self._counted[0] - known[0], self._counted[1] - known[1]
        if refreshed:
            self._refreshes.inc(refreshed)
        if refused:
            self._refused.inc(refused)


def _no_outputs(served: Served) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], served.model.output_schema)


class _Watched:
    """The model, as one call of it sees it."""

    def __init__(self, model: Predicts, watchdog: Watchdog[WatchedCall], call: WatchedCall) -> None:
        self._model = model
        self._watchdog = watchdog
        self._call = call
        self.output_schema = model.output_schema
        self.calls = 0

    def predict(self, features: pa.RecordBatch) -> pa.RecordBatch:
        self.calls += 1
        with self._watchdog.watching(self._call):
            return self._model.predict(features)
