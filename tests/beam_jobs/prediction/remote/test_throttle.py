"""Requests are held back while the endpoint refuses most of them, and the runner is told."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.prediction.remote.throttle import NAMESPACE, Throttle, share_held_back
from tests.support.remote_models import FastClock


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_nothing_is_held_back_while_half_of_the_requests_pass(answered: int, busy: int) -> None:
    share = share_held_back(answered + busy, answered)
    assert 0 <= share < 1
    assert (share == 0) == (busy <= answered)


def test_an_endpoint_that_answers_is_never_held_back() -> None:
    time = FastClock()
    throttle = Throttle(time.clock)
    for _ in range(100):
        throttle.admit()
        throttle.note(busy=False)
    assert time.slept == []


def test_an_endpoint_that_refuses_all_is_held_back_until_that_is_long_ago() -> None:
    time = FastClock()
    throttle = Throttle(time.clock)
    for _ in range(50):
        throttle.note(busy=True)
    for _ in range(20):
        throttle.admit()
    assert 1 <= sum(time.slept) <= 11


class WaitsFor(beam.DoFn):
    """As an endpoint has it wait."""

    def process(self, seconds: float) -> None:
        throttle = Throttle(FastClock().clock)
        for _ in range(4):
            throttle.wait(seconds / 4)
            throttle.report()


def test_the_runner_is_told_the_whole_seconds_as_beam_tells_them() -> None:
    with beam.Pipeline(runner="BundleBasedDirectRunner") as pipeline:
        _ = pipeline | beam.Create([2.5, 0.5]) | beam.ParDo(WaitsFor())
    result: Any = pipeline.result
    named = beam.metrics.MetricsFilter().with_name("cumulativeThrottlingSeconds")
    (counter,) = result.metrics().query(named)["counters"]
    assert (counter.key.metric.namespace, counter.committed) == (NAMESPACE, 2)
