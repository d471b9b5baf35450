"""The drift of one night. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.runs.manifest import RunManifest
from beam_jobs.spec.service import ServiceSpec
from nightstream.drift.figures import NightDrift
from nightstream.drift.measuring import Profiled, measure


def night_drift(
    spec: ServiceSpec,
    score_date: date,
    manifest: RunManifest,
    reference: ReferenceStatistics,
    trailing: Mapping[date, Profiled],
) -> NightDrift:
    """All figures of a night, judged by the limits of the spec as it is now.

    The plan's copy of the spec may have other limits: they are no part of a run's identity.
    """
    summary = manifest.summary
    profiled = Profiled(summary.features, summary.predictions)
    measured = measure(spec.drift, profiled, reference, trailing)
    return NightDrift(
        service=spec.service,
        score_date=score_date,
        run_key=manifest.run_key,
        model_version=manifest.model_version,
        rows=manifest.rows_scored,
        figures=measured.figures,
        notes=(*_not_described(spec, profiled), *measured.notes, *_no_trailing(trailing)),
        trailing=tuple(sorted(trailing)),
    )


def _not_described(spec: ServiceSpec, profiled: Profiled) -> Iterator[str]:
    for field in spec.input.features:
        if field.name not in profiled.features:
            yield f"feature {field.name} is not measured: the model's training data tells nothing"


def _no_trailing(trailing: Mapping[date, Profiled]) -> Iterator[str]:
    if not trailing:
        yield "no night before is published: the night is compared with the training data alone"
