"""One model, shared by all threads of a worker process."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from apache_beam.metrics.metric import Metrics

from beam_jobs.prediction.live.bundles import BundlesUnderWay
from beam_jobs.prediction.live.merging import CallBounds, MergedCalls
from beam_jobs.prediction.live.parts import joined, parted
from beam_jobs.prediction.live.rows import Call, LiveRows
from beam_jobs.prediction.live.suspects import Suspects, Treatment, treatment
from beam_jobs.prediction.live.suspects_folder import KnownSuspects
from beam_jobs.prediction.live.watchdog import Watchdog
from beam_jobs.prediction.scoring import NONE_FAILED, FailedRows, Predicted, Predicts, predict_rows
from beam_jobs.runs.dead_letter import ErrorCode
from beam_jobs.spec.streaming import StreamingSpec

NAMESPACE = "nightstream"


class LiveModel:
    """Merges the calls of its threads, watches over each, and calls suspects alone.

    Counts `model_calls` and `rows_per_call`; the calls that narrow a failing one down to its
    failing rows are counted as `model_calls_bisecting` instead.
    """

    def __init__(
        self,
        model: Predicts,
        spec: StreamingSpec,
        bundles: BundlesUnderWay,
        suspects: KnownSuspects,
        watchdog: Watchdog[Call],
    ) -> None:
        self._model = model
        self._timeout_seconds = spec.model_timeout_seconds
        self._max_attempts = spec.max_attempts
        self._suspects = suspects
        self._watchdog = watchdog
        bounds = CallBounds(spec.batch.rows, spec.batch.bytes, spec.batch.wait_milliseconds / 1e3)
        self._merged = MergedCalls(self._call_for_all, bounds, bundles)
        self._calls = Metrics.counter(NAMESPACE, "model_calls")
        self._bisecting = Metrics.counter(NAMESPACE, "model_calls_bisecting")
        self._rows = Metrics.distribution(NAMESPACE, "rows_per_call")

    def predict(self, rows: LiveRows) -> Predicted:
        """Predictions of every row that can be scored.

        Does not return when the model hangs: then the process ends.
        """
        if not len(rows):
            return Predicted(None, self._no_outputs(), NONE_FAILED)
        suspects = self._suspects.now
        if not suspects or suspects.keys().isdisjoint(keys := rows.request_keys()):
            return self._merge(rows)
        treatments = [treatment(suspects.get(key), self._max_attempts) for key in keys]
        return self._treat(rows, np.array(treatments), suspects)

    def _treat(self, rows: LiveRows, treatments: np.ndarray, suspects: Suspects) -> Predicted:
        parts: list[tuple[np.ndarray, Predicted]] = []
        unsuspected = np.flatnonzero(treatments == Treatment.MERGE)
        if len(unsuspected):
            parts.append((unsuspected, self._merge(rows.take(unsuspected))))
        for index in np.flatnonzero(treatments == Treatment.CALL_ALONE):
            row = np.array([index])
            parts.append((row, self._call([rows.take(row)])))
        given_up = np.flatnonzero(treatments == Treatment.GIVE_UP)
        if len(given_up):
            parts.append((given_up, self._given_up(rows.take(given_up), suspects)))
        return joined(parts)

    def _given_up(self, rows: LiveRows, suspects: Suspects) -> Predicted:
        codes = [ErrorCode.PREDICTION_TIMEOUT] * len(rows)
        messages = [
            f"the model did not answer this request alone within {self._timeout_seconds:g} s, "
            f"{suspects[key].alone} time(s)"
            for key in rows.request_keys()
        ]
        failed = FailedRows(np.arange(len(rows)), codes, messages)
        return Predicted(np.empty(0, np.int64), self._no_outputs(), failed)

    def _merge(self, rows: LiveRows) -> Predicted:
        return self._merged.answer(rows, len(rows), rows.features.nbytes)

    def _call_for_all(self, call: Call) -> list[Predicted]:
        return list(parted(self._call(call), [len(rows) for rows in call]))

    def _call(self, call: Call) -> Predicted:
        features = pa.concat_batches([rows.features for rows in call])
        model = _Watched(self._model, self._watchdog, call)
        # Enough calls for every row to get its own verdict: no request fails for its neighbours.
        predicted = predict_rows(model, features, max_calls=2 * features.num_rows)
        self._calls.inc()
        self._rows.update(features.num_rows)
        self._bisecting.inc(model.calls - 1)
        return predicted

    def _no_outputs(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([], self._model.output_schema)


class _Watched:
    """The model, as one call of it sees it."""

    def __init__(self, model: Predicts, watchdog: Watchdog[Call], call: Call) -> None:
        self._model = model
        self._watchdog = watchdog
        self._call = call
        self.output_schema = model.output_schema
        self.calls = 0

    def predict(self, features: pa.RecordBatch) -> pa.RecordBatch:
        self.calls += 1
        with self._watchdog.watching(self._call):
            return self._model.predict(features)
