"""(b) Rows per second against an ordinary Beam pipeline with a dict per row."""

from __future__ import annotations

from tests.bench.jobs import run_job
from tests.bench.result import Result
from tests.bench.workshop import BUCKET, Workshop


def measure(workshop: Workshop) -> Result:
    """The per-row pipeline is spared its start: the time it takes for one row is taken off.

    The nightly job's is not; it is measured at the size of a large night.
    """
    rows = workshop.rows(200_000)
    large = workshop.rows(10_000_000)
    whole, fixed = _per_row_seconds(workshop, rows), _per_row_seconds(workshop, 1)
    per_row = rows / (whole - fixed)
    vectorised = large / workshop.nightly_job(large, 1).seconds
    same_rows = workshop.nightly_job(rows, 1).seconds
    return Result(
        name=f"rows/s, job / per-row Beam pipeline of {rows:,} rows",
        value=vectorised / per_row,
        unit="x",
        target=20,
        at_least=True,
        details={
            "job_rows_per_s": vectorised,
            "per_row_rows_per_s": per_row,
            "per_row_s": whole,
            "per_row_one_row_s": fixed,
            "job_same_rows_s": same_rows,
        },
    )


def _per_row_seconds(workshop: Workshop, rows: int) -> float:
    uri = workshop.requests_uri(rows)
    command = [
        *("tests.bench.per_row", "--input", uri, "--model", workshop.model_uri),
        *("--output", f"gs://{BUCKET}/per-row/{rows}"),
    ]
    return run_job(workshop.cloud, BUCKET, f"per-row-{rows}", command).seconds
