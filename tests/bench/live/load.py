"""Requests at an even rate into a running job: how soon their rows are visible, what it holds."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tests.bench.live.service import BenchService, babyweight, bench_service
from tests.bench.live.visibility import Probes, latencies_ms
from tests.bench.workshop import Workshop

_WARM_UP, _WARM_UP_RATE = 20_000, 4_000
"""Requests, and as many of them a second: what the emulator and the job compile as they run."""
_SAMPLE_S = 0.5


@dataclass(frozen=True)
class LoadRun:
    """What came of one load; every request of it is there exactly once."""

    latencies_ms: np.ndarray
    """From a probe being due to its row being visible."""
    memory: tuple[tuple[int, int], ...]
    """Requests accounted for by the job and its resident bytes, again and again."""
    requests: int
    counters: dict[str, int]


@cache
def load(workshop: Workshop, rate: int, seconds: int, share: str) -> LoadRun:
    """So many requests a second for so long, once the job and the emulator have run warm; the same
    load is run once, whoever asks. `share`: see Probes."""
    requests = rate * seconds
    with TemporaryDirectory() as folder, bench_service(workshop, babyweight(), Path(folder)) as s:
        s.start()
        with s.publishing("warm-", _WARM_UP, _WARM_UP_RATE):
            pass
        _await_visible(s, "warm-", _WARM_UP)
        probes = Probes("load-", requests, share)
        with _MemoryWatch(s) as memory, s.publishing("load-", requests, rate) as began:
            found = latencies_ms(s, probes, began, rate)
        _await_visible(s, "load-", requests)
        s.check_each_once("load-", requests)
        counters = s.await_counted(requests + _WARM_UP)
    return LoadRun(found, tuple(memory.samples), requests, counters)


def _await_visible(service: BenchService, prefix: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while (rows := service.visible(prefix)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{rows} of {count} requests are visible:\n{service.log}")
        time.sleep(0.2)


class _MemoryWatch:
    """Samples what the job's process holds, while its block runs."""

    def __init__(self, service: BenchService) -> None:
        self._service = service
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.samples: list[tuple[int, int]] = []

    def __enter__(self) -> _MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        [process] = self._service.processes()
        while not self._over.wait(_SAMPLE_S):
            done = self._service.counters().get("requests", 0)
            self.samples.append((done, process.memory_info().rss))
