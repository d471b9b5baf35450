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
from beam_jobs.prediction.live.giving_up import WatchedCall
from beam_jobs.prediction.live.last_resort import LastResort
from beam_jobs.prediction.live.model import LiveModel
from beam_jobs.prediction.live.pointer import ModelPointer
from beam_jobs.prediction.live.rows import LiveRows
from beam_jobs.prediction.live.served import ScoredBy, Served
from beam_jobs.prediction.live.serving import Serving
from beam_jobs.prediction.live.suspects import RequestKey, Suspicion
from beam_jobs.prediction.live.suspects_folder import KnownSuspects, SuspectsFolder
from beam_jobs.prediction.live.watchdog import Watchdog
from beam_jobs.prediction.scoring import Predicted
from beam_jobs.runs.dead_letter import ErrorCode
from beam_jobs.runs.plan import ModelPin
from beam_jobs.runs.streaming import build_streaming_plan
from beam_jobs.spec.streaming import StreamingSpec
from tests.support.live_requests import valid_batch
from tests.support.patience import PATIENCE_S
from tests.support.specs import a_service, an_environment


class Weights:
    """weight = weeks / `per`; refuses a whole call for one negative value."""

    output_schema = pa.schema([("weight", pa.float64())])

    def __init__(self, per: float = 5) -> None:
        self.per = per
        self.calls: list[list[float]] = []

    def predict(self, features: pa.RecordBatch) -> pa.RecordBatch:
        weeks = features.column("weeks").to_numpy()
        self.calls.append(weeks.tolist())
        if (weeks < 0).any():
            raise ValueError(f"cannot score {weeks.min()}")
        return pa.RecordBatch.from_arrays([pa.array(weeks / self.per)], schema=self.output_schema)


@pytest.fixture
def weights() -> Weights:
    return Weights()


PLAN = build_streaming_plan(
    a_service(streaming={"topic": "requests", "subscription": "requests-sub"}),
    an_environment(),
    ModelPin(uri="gs://models/weights/v1", version="v1", kind="sklearn", sha256="0" * 64),
    (),
)


def serving(model: Weights, suspects: Mapping[RequestKey, Suspicion] | None = None) -> Serving:
    """Of that model alone, which version v1 is said to be."""
    made = Serving(ModelPointer(PLAN), lambda _: served(model, "v1", suspects))
    made.start()
    return made


def served(
    model: Weights, version: str, suspects: Mapping[RequestKey, Suspicion] | None = None
) -> Served:
    known = KnownSuspects(SuspectsFolder("unread", version, FileObjects()), refresh_seconds=5)
    known.now = suspects or {}
    return Served(model, ScoredBy(version, f"revision of {version}"), known)


def live_model(
    model: Weights | Serving,
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
    watchdog: Watchdog[WatchedCall] = Watchdog(60, lambda _: None, LastResort(60))
    of = model if isinstance(model, Serving) else serving(model, suspects)
    return LiveModel(of, spec, bundles, watchdog)


def live_rows(*weeks: float) -> LiveRows:
    batch = valid_batch(weeks)
    return LiveRows(batch.features, batch.rows.positions, batch.source)


def weighed(predicted: Predicted) -> list[float]:
    weights: list[float] = predicted.outputs.column("weight").to_pylist()
    return weights


def test_rows_are_scored_in_one_call(weights: Weights) -> None:
    predicted, _ = live_model(weights, BundlesUnderWay()).predict(live_rows(20, 30))
    assert weighed(predicted) == [4.0, 6.0]
    assert predicted.indices is None
    assert weights.calls == [[20, 30]]


def test_no_rows_cost_no_call(weights: Weights) -> None:
    predicted, _ = live_model(weights, BundlesUnderWay()).predict(live_rows())
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
        return model.predict(live_rows(*weeks))[0]

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
    predicted, _ = live_model(weights, BundlesUnderWay()).predict(live_rows(*weeks))
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

    predicted, _ = model.predict(live_rows(20, 25, 30, 35, -1))

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
    predicted, _ = model.predict(live_rows(20))
    assert predicted.outputs.num_rows == 0
    assert predicted.failed.indices.tolist() == [0]
    assert not weights.calls


def test_a_batch_without_suspects_is_not_taken_apart(weights: Weights) -> None:
    suspects = {RequestKey("elsewhere", 0): Suspicion(alone=1)}
    predicted, _ = live_model(weights, BundlesUnderWay(), suspects).predict(live_rows(20, 30))
    assert predicted.indices is None
    assert weights.calls == [[20, 30]]


class ExchangedInTheCall(Weights):
    """Another model is in service by the time that it answers its first call."""

    def __init__(self, after: Served) -> None:
        super().__init__()
        self._after = after
        self.of: Serving | None = None

    def predict(self, features: pa.RecordBatch) -> pa.RecordBatch:
        answer = super().predict(features)
        assert self.of is not None
        self.of.now = self._after
        return answer


def test_a_batch_is_scored_and_stamped_by_one_model_though_that_is_exchanged_meanwhile() -> None:
    new = Weights(per=2)
    old = ExchangedInTheCall(served(new, "v2"))
    suspects = {
        RequestKey("m1", 0): Suspicion(in_company=1),
        RequestKey("m2", 0): Suspicion(in_company=1),
    }
    old.of = serving(old, suspects)
    model = live_model(old.of, BundlesUnderWay())

    predicted, by = model.predict(live_rows(20, 25, 30))
    assert by == ("v1", "revision of v1")
    assert weighed(predicted) == [4.0, 5.0, 6.0]
    assert not new.calls

    predicted, by = model.predict(live_rows(20, 25, 30))
    assert by == ("v2", "revision of v2")
    assert weighed(predicted) == [10.0, 12.5, 15.0]
    assert new.calls == [[20, 25, 30]]


def test_batches_that_are_merged_are_stamped_with_the_model_that_answers_them() -> None:
    bundles = BundlesUnderWay()
    weights = Weights()
    of = serving(weights)
    model = live_model(of, bundles)
    all_under_way, exchanged = Barrier(3), Barrier(3)

    def bundle(number: int) -> tuple[Predicted, ScoredBy]:
        bundles.enter()
        all_under_way.wait(20)
        if number == 2:
            of.now = served(Weights(per=2), "v2")
        exchanged.wait(20)
        return model.predict(live_rows(20))

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(bundle, range(3)))

    assert [weighed(predicted) for predicted, _ in answers] == [[10.0]] * 3
    assert {by.model_version for _, by in answers} == {"v2"}
    assert not weights.calls
