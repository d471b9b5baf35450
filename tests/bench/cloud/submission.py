"""The nightly job from the start of its launcher to its job running, and where the time goes."""

from __future__ import annotations

import re

from tests.bench.jobs import JobRun
from tests.bench.result import Result
from tests.bench.workshop import Workshop

_ROWS = 1_000
_REPEATS = 3
_STAGING, _STAGED, _CREATED = "Starting GCS upload", "Completed GCS upload", "Created job with id"
"""What Beam logs; several files are staged."""


def measure(workshop: Workshop) -> Result:
    """The median of several submissions, each by a new process."""
    runs = [
        workshop.run_nightly_job("tests.bench.cloud.launcher", _ROWS, f"submission-{repeat}")
        for repeat in range(_REPEATS)
    ]
    median = sorted(runs, key=_seconds)[_REPEATS // 2]
    return Result(
        name="submission of the nightly job → RUNNING",
        value=_seconds(median),
        unit="s",
        target=8.0,
        details={**_parts(median), "slowest_s": max(map(_seconds, runs))},
    )


def _seconds(run: JobRun) -> float:
    return run.running_since - run.launch.began


def _parts(run: JobRun) -> dict[str, float]:
    """What the launcher does one after the other, then the worker's start."""
    said = run.launch.said
    imported = _times(said, "imported")[0]
    staging, staged = _times(said, _STAGING)[0], _times(said, _STAGED)[-1]
    created = _times(said, _CREATED)[0]
    return {
        "import_s": imported - run.launch.began,
        "construct_s": staging - imported,
        "stage_s": staged - staging,
        "create_s": created - staged,
        "worker_start_s": run.running_since - created,
    }


def _times(said: str, words: str) -> list[float]:
    """When these words were logged, seconds since the epoch. Raises RuntimeError if never."""
    found = [float(time) for time in re.findall(rf"^(\d+\.\d+) {words}", said, re.MULTILINE)]
    if not found:
        raise RuntimeError(f"the launcher never said {words!r}:\n{said}")
    return found
