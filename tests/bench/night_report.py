"""The report of a night of 200 columns over 30 nights, in a process that has imported nothing yet.

python -m tests.bench.night_report   # what the measuring process runs
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np

from beam_jobs.prediction.manifest import NumericReference, ReferenceStatistics
from beam_jobs.runs.manifest import Histogram, RunManifest
from beam_jobs.runs.plan import RunPlan
from nightstream.drift.measuring import Profiled
from nightstream.drift.night import night_drift
from nightstream.reports.night import Audited, NightReport, PastNight
from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.local_cloud import ROOT
from tests.support.night_output import NIGHT, a_manifest, a_plan
from tests.support.specs import a_service

COLUMNS, NIGHTS, BINS, ROWS = 200, 30, 20, 1_000
_EDGES = tuple(float(edge) for edge in range(BINS + 1))


def measure(workshop: Workshop) -> Result:  # noqa: ARG001
    """Seconds from the first import of the plotting library to the page."""
    command = [sys.executable, "-m", "tests.bench.night_report"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    details = json.loads(done.stdout)
    return Result(
        name=f"report of a night of {COLUMNS} columns",
        value=details.pop("seconds"),
        unit="s",
        target=5.0,
        details=details,
    )


def main() -> None:
    report = _report()
    memory = _peak_mb()
    began = time.perf_counter()
    from nightstream.reports.page import page

    imported = time.perf_counter()
    content = page(report)
    done = time.perf_counter()
    figures = {
        "seconds": done - began,
        "import_s": imported - began,
        "more_memory_mb": _peak_mb() - memory,
        "page_mb": len(content) / 1e6,
    }
    print(json.dumps(figures))


def _report() -> NightReport:
    random = np.random.default_rng(0)
    spec = a_service()
    plan = a_plan(spec, "scoring-work", ROWS)
    numeric = {
        f"feature_{number:03d}": NumericReference(
            edges=_EDGES, counts=_counts(random), mean=BINS / 2, std=1
        )
        for number in range(COLUMNS)
    }
    reference = ReferenceStatistics(rows=ROWS, numeric=numeric)
    past: dict[date, PastNight] = {}
    for back in range(NIGHTS, 0, -1):
        night, profiled = NIGHT - timedelta(days=back), Profiled(_histograms(random), {})
        drift = night_drift(spec, night, _manifest(plan, profiled), reference, {})
        past[night] = PastNight(ROWS, 0, "v1", profiled, drift)
    tonight = _manifest(plan, Profiled(_histograms(random), {}))
    before = {night: seen.profiled for night, seen in list(past.items())[-7:]}
    drift = night_drift(spec, NIGHT, tonight, reference, before)
    now = datetime(2026, 1, 6, tzinfo=UTC)
    audited = Audited(plan, tonight, (), drift, None, now)
    return NightReport(audited, drift, reference, past, {}, (), now)


def _manifest(plan: RunPlan, profiled: Profiled) -> RunManifest:
    manifest = a_manifest(plan)
    summary = manifest.summary.model_copy(update={"features": profiled.features})
    return manifest.model_copy(update={"summary": summary})


def _histograms(random: np.random.Generator) -> dict[str, Histogram]:
    return {
        f"feature_{number:03d}": Histogram(
            edges=_EDGES, counts=(0, *_counts(random), 0), total=ROWS
        )
        for number in range(COLUMNS)
    }


def _counts(random: np.random.Generator) -> tuple[int, ...]:
    return tuple(random.multinomial(ROWS, [1 / BINS] * BINS).tolist())


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
