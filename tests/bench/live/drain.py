"""How fast the job works off what waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from beam_jobs.spec import ServiceSpec
from tests.bench.live.service import BenchService, babyweight, bench_service
from tests.bench.result import Result
from tests.bench.workshop import Workshop

REPEATS = 2
PREFIX = "waiting-"
_FULL, _QUICK = 100_000, 20_000


@dataclass(frozen=True)
class DrainRun:
    """A job that has worked off all requests; each of them is in the table once."""

    per_second: float
    counters: dict[str, int]


def measure_speed(workshop: Workshop) -> Result:
    """Requests a second, from the first micro-batch scored to the last."""
    requests = _requests(workshop)
    answering = drain(workshop, babyweight(answers=True), requests)
    return Result(
        name=f"draining {requests:,} waiting requests",
        value=quickest_drain(workshop).per_second,
        unit="requests/s",
        target=7_000,
        at_least=True,
        details={"with_answers_per_s": answering.per_second},
    )


def measure_ratio(workshop: Workshop) -> Result:
    """The same against a pipeline that only reads messages with their attributes and counts them,
    on the same engine; and how fast that is where it leaves the messages packed."""
    scored = quickest_drain(workshop).per_second
    counted = max(_counted_per_second(workshop) for _ in range(REPEATS))
    packed = max(_counted_per_second(workshop, "--packed") for _ in range(REPEATS))
    return Result(
        name="draining, scored / only read and counted",
        value=scored / counted,
        unit="x",
        target=0.7,
        at_least=True,
        details={
            "scored_per_s": scored,
            "counted_per_s": counted,
            "counted_packed_per_s": packed,
        },
    )


def _requests(workshop: Workshop) -> int:
    return _QUICK if workshop.quick else _FULL


@cache
def quickest_drain(workshop: Workshop) -> DrainRun:
    """Of several runs the quickest, which is the least disturbed one."""
    runs = [drain(workshop, babyweight(), _requests(workshop)) for _ in range(REPEATS)]
    return max(runs, key=lambda run: run.per_second)


def drain(workshop: Workshop, spec: ServiceSpec, requests: int) -> DrainRun:
    """Starts the streaming job once so many requests wait, and stops it when all are scored."""
    with TemporaryDirectory() as folder, bench_service(workshop, spec, Path(folder)) as service:
        service.publish_all(PREFIX, requests)
        service.start()
        counters = service.await_counted(requests)
        service.check_each_once(PREFIX, requests)
        return DrainRun(_scored_per_second(service), counters)


def _scored_per_second(service: BenchService) -> float:
    """Without the requests of the first micro-batch, which waited for the model to be loaded."""
    sql = (
        "SELECT scored_at, COUNT(*) AS requests "
        f"FROM `{service.dataset}.{service.plan.tables.predictions}` GROUP BY 1 ORDER BY 1"
    )
    batches = list(service.client.query_and_wait(sql))
    seconds = (batches[-1]["scored_at"] - batches[0]["scored_at"]).total_seconds()
    return float(sum(batch["requests"] for batch in batches[1:]) / seconds)


def _counted_per_second(workshop: Workshop, *options: str) -> float:
    """From the first bundle's beginning to the last one's end."""
    requests = _requests(workshop)
    with (
        TemporaryDirectory() as folder,
        bench_service(workshop, babyweight(), Path(folder)) as service,
    ):
        service.publish_all(PREFIX, requests)
        service.start(*options, module="tests.bench.live.pass_through")
        service.await_counted(requests)
        at_work = service.distribution("at_work_ms")
        return requests / ((at_work["max"] - at_work["min"]) / 1e3)
