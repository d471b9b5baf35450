"""RunInference scores micro-batches with a live model, and counts its calls."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that

from beam_jobs.prediction.live.handler import LiveModelHandler
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.predict import settle_requests
from tests.support.bundles_at_once import BUNDLES, OneBatchPerBundle
from tests.support.live_requests import a_live_plan, valid_batch


def counted(result: Any, name: str) -> Any:
    """The committed value of a metric of the product."""
    found = result.metrics().query(beam.metrics.MetricsFilter().with_name(name))
    (value,) = [*found["counters"], *found["distributions"]]
    assert value.key.metric.namespace == "nightstream"
    return value.committed


def check_scored(scored: list[ScoredRequests]) -> None:
    first, second = sorted(scored, key=lambda batch: batch.rows_in)
    assert first.outputs.column("weight").to_pylist() == [4.0, 5.0]
    assert not first.dead.num_rows
    assert second.rows_in == 50
    assert second.outputs.num_rows == 49
    (dead,) = second.dead.to_pylist()
    assert dead["error_code"] == "prediction_failed"
    assert dead["error_message"] == "ValueError: cannot score -1.0"
    assert dead["position"] == 17


def test_one_call_per_micro_batch_and_few_more_for_one_bad_row(tmp_path: Path) -> None:
    weeks = [20.0] * 50
    weeks[17] = -1.0
    handler: LiveModelHandler = LiveModelHandler(a_live_plan(tmp_path), settle_requests)

    with beam.Pipeline(runner="BundleBasedDirectRunner") as pipeline:
        scored = (
            pipeline
            | beam.Create([valid_batch([20.0, 25.0]), valid_batch(weeks)])
            | RunInference(handler)
        )
        assert_that(scored, check_scored)

    result = pipeline.result
    assert counted(result, "model_calls") == 2
    assert counted(result, "model_calls_bisecting") <= 2 * 6
    rows = counted(result, "rows_per_call")
    assert (rows.count, rows.sum, rows.min, rows.max) == (2, 52, 2, 50)


def test_bundles_on_threads_of_one_worker_share_a_call(tmp_path: Path) -> None:
    plan = a_live_plan(tmp_path, batch={"wait_milliseconds": 10_000})
    handler: LiveModelHandler = LiveModelHandler(plan, settle_requests)
    options = [f"--direct_num_workers={BUNDLES}", "--direct_running_mode=multi_threading"]

    with beam.Pipeline(runner="FnApiRunner", options=PipelineOptions(options)) as pipeline:
        weeks = [20.0 + number for number in range(4 * BUNDLES)]
        _ = (
            pipeline
            | beam.Create(weeks)
            | beam.Reshuffle()
            | beam.ParDo(OneBatchPerBundle())
            | RunInference(handler)
        )

    assert counted(pipeline.result, "model_calls") == 1
    assert counted(pipeline.result, "rows_per_call").sum == len(weeks)


def test_the_handler_travels_to_workers(tmp_path: Path) -> None:
    handler: LiveModelHandler = LiveModelHandler(a_live_plan(tmp_path), settle_requests)
    arrived = pickle.loads(pickle.dumps(handler))
    (scored,) = arrived.run_inference([valid_batch([45.0])], arrived.load_model())
    assert scored.outputs.column("weight").to_pylist() == [9.0]
