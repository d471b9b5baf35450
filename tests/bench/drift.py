"""What drift costs: the histograms in the job, the figures in the audit."""

from __future__ import annotations

import time
from datetime import date, timedelta

from beam_jobs.objects import open_objects
from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.prediction.versions import publish_version
from beam_jobs.spec import load_service
from nightstream.drift.measuring import Profiled
from nightstream.drift.night import night_drift
from tests.bench.result import Result
from tests.bench.workshop import BUCKET, SPEC, Workshop, nightly_job_name

REPEATS = 3
_NIGHT = date(2026, 1, 8)


def measure(workshop: Workshop) -> Result:
    """The job with a model whose training data is described, and with one that says nothing of it,
    so that nothing is counted; in turn, and of several runs the quickest counts."""
    rows = workshop.rows(10_000_000)
    silent = _model_without_a_reference(workshop)
    counted, uncounted = [], []
    for repeat in range(1, REPEATS + 1):
        counted.append(workshop.nightly_job(rows, repeat).seconds)
        name = f"{rows}-rows-uncounted-{repeat}"
        run = workshop.run_nightly_job("beam_jobs.batch", rows, name, silent)
        uncounted.append(run.seconds)
    return Result(
        name=f"histograms for drift, share of the job's wall time at {rows:,} rows",
        value=(min(counted) / min(uncounted) - 1) * 100,
        unit="%",
        target=3,
        details={
            "counted_s": min(counted),
            "uncounted_s": min(uncounted),
            "audit_ms": _audit_seconds(workshop, rows) * 1_000,
        },
    )


def _model_without_a_reference(workshop: Workshop) -> str:
    manifest, artifact = workshop.model
    silent = manifest.model_copy(
        update={"version": "silent", "reference": ReferenceStatistics(rows=0)}
    )
    root = f"gs://{BUCKET}/models"
    return publish_version(root, silent, artifact, open_objects(root)).folder


def _audit_seconds(workshop: Workshop, rows: int) -> float:
    """All figures of a night against training data and seven other nights, the quickest of ten."""
    spec, reference = load_service(SPEC), workshop.model[0].reference
    manifest = workshop.manifest(nightly_job_name(rows, 1))
    night = Profiled(manifest.summary.features, manifest.summary.predictions)
    trailing = {_NIGHT - timedelta(days=back): night for back in range(1, 8)}
    taken = []
    for _ in range(10):
        began = time.perf_counter()
        night_drift(spec, _NIGHT, manifest, reference, trailing)
        taken.append(time.perf_counter() - began)
    return min(taken)
