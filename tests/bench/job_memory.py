"""(c) Peak memory of the job, by the size of the night."""

from __future__ import annotations

from tests.bench.result import Result
from tests.bench.workshop import Workshop


def measure(workshop: Workshop) -> Result:
    """Resident memory of the job's processes at its highest, ten times the rows against one."""
    rows = workshop.rows(1_000_000)
    small, large = workshop.nightly_job(rows, 1), workshop.nightly_job(10 * rows, 1)
    return Result(
        name=f"peak memory, {10 * rows:,} / {rows:,} rows",
        value=large.peak_bytes / small.peak_bytes,
        unit="x",
        target=1.2,
        details={"small_mb": small.peak_bytes / 1e6, "large_mb": large.peak_bytes / 1e6},
    )
