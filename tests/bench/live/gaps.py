"""How long requests wait while the streaming job is changed under them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.bench.live.service import BenchService, babyweight, bench_service
from tests.bench.live.visibility import Probes, latencies_ms
from tests.bench.result import Result
from tests.bench.workshop import Workshop

RATE = 200
"""Requests a second."""
_FULL_S, _QUICK_S = 60, 30
_WARM_UP = 2_000

Change = Callable[[BenchService], object]


def measure_update(workshop: Workshop) -> Result:
    """The longest that a request waits while another job takes the running one's place."""
    return _gap(workshop, "an update", 6, _update)


def measure_replacement(workshop: Workshop) -> Result:
    """The same while the running job is drained and another one launched right after it."""
    return _gap(workshop, "a replacement", 15, _replace)


def _update(service: BenchService) -> None:
    service.start("--update")


def _replace(service: BenchService) -> None:
    service.drain()
    service.start()


def _gap(workshop: Workshop, what: str, target: float, change: Change) -> Result:
    seconds = _QUICK_S if workshop.quick else _FULL_S
    count = RATE * seconds
    probes = Probes("gap-", count, share="")
    with (
        TemporaryDirectory() as folder,
        bench_service(workshop, babyweight(), Path(folder)) as service,
        ThreadPoolExecutor(1) as hand,
    ):
        service.start()
        with service.publishing("warm-", _WARM_UP, RATE):
            pass
        with service.publishing("gap-", count, RATE) as began:
            changed = hand.submit(change, service)
            found = latencies_ms(service, probes, began, RATE)
            changed.result()
        service.check_each_once("gap-", count)
    return Result(
        name=f"gap in service of {what} at {RATE} requests/s",
        value=float(found.max()) / 1e3,
        unit="s",
        target=target,
        details={
            **{f"p{percent}_ms": float(np.percentile(found, percent)) for percent in (50, 90)},
            "waited_over_1_s": float((found > 1_000).sum()),
            "requests": count,
        },
    )
