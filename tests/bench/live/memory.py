"""Memory of the streaming job, by how many requests it has scored."""

from __future__ import annotations

from tests.bench.live.latency import fast_load
from tests.bench.result import Result
from tests.bench.workshop import Workshop


def measure(workshop: Workshop) -> Result:
    """Resident memory after a million requests against that after a tenth of them; of the load at
    4,000 requests a second. A quick run's load is shorter."""
    run = fast_load(workshop)
    requests = min(run.requests * 9 // 10, 1_000_000)
    early, late = (_held(run.memory, count) for count in (requests // 10, requests))
    return Result(
        name=f"memory of the streaming job, {requests:,} / {requests // 10:,} requests",
        value=late / early,
        unit="x",
        target=1.1,
        details={
            "early_mb": early / 1e6,
            "late_mb": late / 1e6,
            "highest_mb": max(held for _, held in run.memory) / 1e6,
        },
    )


def _held(samples: tuple[tuple[int, int], ...], requests: int) -> int:
    """Resident bytes when so many requests were accounted for."""
    return next(held for done, held in samples if done >= requests)
