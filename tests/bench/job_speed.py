"""(a) The job on the local Dataflow against a script written by hand."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.local_cloud import ROOT

REPEATS = 2


def measure(workshop: Workshop) -> Result:
    """Both score the same file with the same model and write the same columns, in turn.

    The script is timed as a process, the job from running to done: loading libraries and model
    counts on both sides. Of several runs the quickest counts, which is the least disturbed one.
    """
    rows = workshop.rows(10_000_000)
    requests = workshop.requests(rows)
    scripts, jobs = [], []
    for repeat in range(1, REPEATS + 1):
        scripts.append(_script_seconds(requests, workshop.model_folder))
        jobs.append(workshop.nightly_job(rows, repeat))
    by_hand = min(scripts)
    job = min(jobs, key=lambda run: run.seconds)
    return Result(
        name=f"job / script, wall time at {rows:,} rows",
        value=job.seconds / by_hand,
        unit="x",
        target=1.25,
        details={
            "script_s": by_hand,
            "job_s": job.seconds,
            "job_start_s": job.start_seconds,
            "job_rows_per_s": rows / job.seconds,
        },
    )


def _script_seconds(requests: Path, model: Path) -> float:
    with TemporaryDirectory() as folder:
        begun = time.monotonic()
        subprocess.run(
            [
                *(sys.executable, "-m", "tests.bench.script"),
                *(requests, model, Path(folder) / "scored.parquet"),
            ],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        return time.monotonic() - begun
