"""The local cloud from nothing to its first answer."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.local_cloud import LocalCloud

_REPEATS = 5


def measure(workshop: Workshop) -> Result:  # noqa: ARG001
    """From the start of the process to the answer of its health check; the median of several, each
    in a new folder. And the same again where it has run before."""
    with TemporaryDirectory() as folder:
        clouds = [LocalCloud(Path(folder) / str(number)) for number in range(_REPEATS)]
        new = [_seconds(cloud) for cloud in clouds]
        again = [_seconds(cloud) for cloud in clouds]
    return Result(
        name="local cloud, start → ready",
        value=statistics.median(new),
        unit="s",
        target=2.0,
        details={"slowest_s": max(new), "again_s": statistics.median(again)},
    )


def _seconds(cloud: LocalCloud) -> float:
    began = time.monotonic()
    cloud.start()
    seconds = time.monotonic() - began
    cloud.stop()
    return seconds
