"""Rows of several bundles share a call; each keeps its own prediction, or its own error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyarrow as pa
import pytest

from beam_jobs.objects.files import FileObjects
from beam_jobs.prediction.live.bundles import BundlesUnderWay
from beam_jobs.prediction.live.last_resort import LastResort
from beam_jobs.prediction.live.model import LiveModel
from beam_jobs.prediction.live.rows import Call, LiveRows
from beam_jobs.prediction.live.suspects import RequestKey, Suspicion
from beam_jobs.prediction.live.suspects_folder import KnownSuspects, SuspectsFolder
from beam_jobs.prediction.live.watchdog import Watchdog
from beam_jobs.prediction.scoring import Predicted
from beam_jobs.runs.dead_letter import ErrorCode
from beam_jobs.spec.streaming import StreamingSpec
from tests.support.live_requests import valid_batch
from tests.support.patience import PATIENCE_S


class Weights:
    """weight = weeks / 5; refuses a whole call for one negative value."""

    output_schema = pa.schema([("weight", pa.float64())])

    def __init__(self) -> None:
        self.calls: list[list[float]] = []

    def predict(self, features: pa.RecordBatch) -> pa.RecordBatch:
        weeks = features.column("weeks").to_numpy()
        self.calls.append(weeks.tolist())
        if (weeks < 0).any():
            raise ValueError(f"cannot score {weeks.min()}")
        return pa.RecordBatch.from_arrays([pa.array(weeks / 5)], schema=self.output_schema)


@pytest.fixture
def weights() -> Weights:
    return Weights()


def live_model(
    model: Weights,
    bundles: BundlesUnderWay,
    suspects: Mapping[RequestKey, Suspicion] | None = None,
    max_attempts: int = 3,
) -> LiveModel:
    spec = StreamingSpec.model_validate(
        {
            "topic": "requests",
            "subscription": "requests-sub",
            "batch": {"rows": 1_000, "wait_milliseconds": 10_000},
            "max_attempts": max_attempts,
        }
    )
    known = KnownSuspects(SuspectsFolder("unread", "r1", FileObjects()), refresh_seconds=5)
    known.now = suspects or {}
    watchdog: Watchdog[Call] = Watchdog(60, lambda _: None, LastResort(60))
    return LiveModel(model, spec, bundles, known, watchdog)


def live_rows(*weeks: float) -> LiveRows:
    batch = valid_batch(weeks)
    return LiveRows(batch.features, batch.rows.positions, batch.source)


def weighed(predicted: Predicted) -> list[float]:
    weights: list[float] = predicted.outputs.column("weight").to_pylist()
    return weights


def test_rows_are_scored_in_one_call(weights: Weights) -> None:
    predicted = live_model(weights, BundlesUnderWay()).predict(live_rows(20, 30))
    assert weighed(predicted) == [4.0, 6.0]
    assert predicted.indices is None
    assert weights.calls == [[20, 30]]


def test_no_rows_cost_no_call(weights: Weights) -> None:
    predicted = live_model(weights, BundlesUnderWay()).predict(live_rows())
    assert predicted.outputs.num_rows == 0
    assert predicted.outputs.schema == weights.output_schema
    assert not weights.calls


def test_one_bad_row_among_merged_bundles_fails_alone_within_k_log_n_calls(
    weights: Weights,
) -> None:
    bundles = BundlesUnderWay()
    model = live_model(weights, bundles)
    all_under_way = Barrier(5)

    def bundle(number: int) -> Predicted:
        bundles.enter()
        all_under_way.wait(PATIENCE_S)
        weeks = [float(20 + number)] * 10
        if number == 3:
            weeks[7] = -1.0
        return model.predict(live_rows(*weeks))

    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(bundle, range(5)))

    for number, predicted in enumerate(answers):
        rows = 9 if number == 3 else 10
        assert weighed(predicted) == [(20 + number) / 5] * rows
        failed = [7] if number == 3 else []
        assert predicted.failed.indices.tolist() == failed
    assert answers[3].failed.messages == ["ValueError: cannot score -1.0"]
    assert answers[3].failed.codes == [ErrorCode.PREDICTION_FAILED]
    assert len(weights.calls[0]) == 50
    assert len(weights.calls) <= 1 + 2 * math.ceil(math.log2(50))


def test_no_good_row_fails_for_its_neighbours_however_many_are_bad(weights: Weights) -> None:
    weeks = [-1.0 if row % 2 else 20.0 for row in range(600)]
    predicted = live_model(weights, BundlesUnderWay()).predict(live_rows(*weeks))
    assert weighed(predicted) == [4.0] * 300
    assert predicted.failed.indices.tolist() == list(range(1, 600, 2))


def test_suspects_are_called_alone_or_given_up_and_the_others_together(weights: Weights) -> None:
    suspects = {
        RequestKey("m1", 0): Suspicion(in_company=1),
        RequestKey("m2", 0): Suspicion(alone=2, in_company=1),
        RequestKey("m4", 0): Suspicion(alone=1),
        RequestKey("m9", 0): Suspicion(alone=9),
    }
    model = live_model(weights, BundlesUnderWay(), suspects, max_attempts=2)

    predicted = model.predict(live_rows(20, 25, 30, 35, -1))

    assert weights.calls == [[20, 35], [25], [-1]]
    assert weighed(predicted) == [4.0, 5.0, 7.0]
    assert predicted.indices is not None
    assert predicted.indices.tolist() == [0, 1, 3]
    assert predicted.failed.indices.tolist() == [2, 4]
    assert predicted.failed.codes == [ErrorCode.PREDICTION_TIMEOUT, ErrorCode.PREDICTION_FAILED]
    assert predicted.failed.messages == [
        "the model did not answer this request alone within 60 s, 2 time(s)",
        "ValueError: cannot score -1.0",
    ]


def test_a_batch_of_nothing_but_given_up_rows_costs_no_call(weights: Weights) -> None:
    suspects = {RequestKey("m0", 0): Suspicion(alone=1)}
    model = live_model(weights, BundlesUnderWay(), suspects, max_attempts=1)
    predicted = model.predict(live_rows(20))
    assert predicted.outputs.num_rows == 0
    assert predicted.failed.indices.tolist() == [0]
    assert not weights.calls


def test_a_batch_without_suspects_is_not_taken_apart(weights: Weights) -> None:
    suspects = {RequestKey("elsewhere", 0): Suspicion(alone=1)}
    predicted = live_model(weights, BundlesUnderWay(), suspects).predict(live_rows(20, 30))
    assert predicted.indices is None
    assert weights.calls == [[20, 30]]
