"""From publishing a request to its row being visible in BigQuery."""

from __future__ import annotations

import numpy as np

from tests.bench.live.load import LoadRun, load
from tests.bench.result import Result
from tests.bench.workshop import Workshop

SLOW, FAST = 300, 4_000
"""Requests a second."""
_EVERY, _ONE_IN_SIXTEEN = "", "0"


def slow_load(workshop: Workshop) -> LoadRun:
    """A minute of 300 requests a second, each of them a probe."""
    return load(workshop, SLOW, 10 if workshop.quick else 60, _EVERY)


def fast_load(workshop: Workshop) -> LoadRun:
    """Five minutes of 4,000 a second; one in sixteen, at random, is a probe."""
    return load(workshop, FAST, 15 if workshop.quick else 300, _ONE_IN_SIXTEEN)


def measure_slow(workshop: Workshop) -> Result:
    """The 99th percentile at 300 requests a second."""
    return _percentile(slow_load(workshop), SLOW, 99, 250)


def measure_fast(workshop: Workshop) -> Result:
    """The 99th percentile at 4,000 requests a second."""
    return _percentile(fast_load(workshop), FAST, 99, 400)


def measure_fast_median(workshop: Workshop) -> Result:
    """The median of the same requests."""
    return _percentile(fast_load(workshop), FAST, 50, 150)


def _percentile(run: LoadRun, rate: int, percent: int, target: float) -> Result:
    found = run.latencies_ms
    return Result(
        name=f"publish → visible at {rate:,} requests/s, p{percent}",
        value=float(np.percentile(found, percent)),
        unit="ms",
        target=target,
        details={
            **{f"p{p}_ms": float(np.percentile(found, p)) for p in (50, 95, 99)},
            "max_ms": float(found.max()),
            "first_tenth_p50_ms": float(np.median(found[: len(found) // 10])),
            "last_tenth_p50_ms": float(np.median(found[-len(found) // 10 :])),
            "probes": len(found),
            "requests": run.requests,
            "requests_per_model_call": run.counters["requests"] / run.counters["model_calls"],
        },
    )
