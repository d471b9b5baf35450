"""Calls of the model: as few as there are micro-batches, and what more of them would cost."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.live.drain import PREFIX, drain, quickest_drain
from tests.bench.live.service import babyweight, bench_service
from tests.bench.result import Result
from tests.bench.workshop import Workshop

_REQUESTS, _QUICK = 20_000, 4_000
"""Of the pipelines that take longer for each."""
_PATIENCE_S = 600


def measure(workshop: Workshop) -> Result:
    """Calls of the model by micro-batch, from the job's counters after draining; and how fast it
    drains with micro-batches of one request, and with Beam's WriteToBigQuery for its sink."""
    run = quickest_drain(workshop)
    counters = run.counters
    requests = _QUICK if workshop.quick else _REQUESTS
    return Result(
        name="calls of the model / micro-batches",
        value=counters["model_calls"] / counters["batches"],
        unit="x",
        target=1.0,
        details={
            "requests_per_call": counters["requests"] / counters["model_calls"],
            "requests_per_s": run.per_second,
            "one_call_per_request_per_s": _one_by_one(workshop, requests // 4),
            "write_to_bigquery_per_s": _stock_sink(workshop, requests),
        },
    )


def _one_by_one(workshop: Workshop, requests: int) -> float:
    """The same job with a call of the model, and a write, for each request, as the Python version
    of the lab has it."""
    run = drain(workshop, babyweight(rows=1), requests)
    if run.counters["model_calls"] < requests:
        raise RuntimeError(f"{run.counters['model_calls']} calls for {requests} requests")
    return run.per_second


def _stock_sink(workshop: Workshop, requests: int) -> float:
    """From the first look at the table that finds rows, without those, to the first that finds
    all."""
    with (
        TemporaryDirectory() as folder,
        bench_service(workshop, babyweight(), Path(folder)) as service,
    ):
        service.publish_all(PREFIX, requests)
        service.start(module="tests.bench.live.stock_sink")
        deadline = time.monotonic() + _PATIENCE_S
        while not (first := service.visible(PREFIX)):
            time.sleep(0.1)
        began = time.monotonic()
        while (rows := service.visible(PREFIX)) < requests:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{rows} of {requests} requests:\n{service.log}")
            time.sleep(0.3)
        return (requests - first) / (time.monotonic() - began)
