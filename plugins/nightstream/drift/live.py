"""The drift of the last hours of live requests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.runs.manifest import Histogram
from beam_jobs.runs.profiles import LiveProfile
from beam_jobs.spec.drift import DriftSpec
from beam_jobs.transforms.histograms import merged_by_column
from nightstream.drift.figures import Drift, Figure, Verdict
from nightstream.drift.measuring import Profiled, measure


class LiveDrift(Drift):
    """The drift of some hours; what was counted is kept for the same hours of later days."""

    window_start: datetime
    window_end: datetime
    features: dict[str, Histogram]
    predictions: dict[str, Histogram]

    @property
    def profiled(self) -> Profiled:
        return Profiled(self.features, self.predictions)


def last_full_hour(now: datetime) -> datetime:
    """When the hours end that are looked at: UTC."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def live_drift_uri(work_bucket: str, service: str, window_end: datetime) -> str:
    """Where the drift of the hours that end then is kept."""
    hour = window_end.astimezone(UTC).strftime("%Y-%m-%dT%H")
    return f"gs://{work_bucket}/{service}/drift_live/{hour}.json"


def same_hours_before(window_end: datetime, days: int) -> dict[date, datetime]:
    """The ends of the same hours of earlier days, by day."""
    ends = (window_end - timedelta(days=back) for back in range(1, days + 1))
    return {end.date(): end for end in ends}


def newest_version(profiles: Iterable[LiveProfile]) -> str | None:
    """The version that scored last; None where nothing was scored."""
    last = max(profiles, key=lambda profile: (profile.window_end, profile.worker), default=None)
    return None if last is None else last.model_version


def live_drift(
    spec: DriftSpec,
    service: str,
    window_end: datetime,
    profiles: Sequence[LiveProfile],
    reference: ReferenceStatistics,
    trailing: Mapping[date, Profiled],
) -> LiveDrift:
    """The drift of what the newest version scored; there must be a profile.

    Requests of other versions are left out, and that is noted: their predictions were counted over
    other bins.
    """
    version = newest_version(profiles)
    chosen = [profile for profile in profiles if profile.model_version == version]
    others = sum(profile.scored for profile in profiles) - sum(p.scored for p in chosen)
    profiled = Profiled(
        merged_by_column(profile.features for profile in chosen),
        merged_by_column(profile.predictions for profile in chosen),
    )
    measured = measure(spec, profiled, reference, trailing)
    notes = list(measured.notes)
    if others:
        notes.append(f"{others:,} requests that other versions scored are left out")
    if not trailing:
        notes.append("nothing was counted in these hours of the days before")
    return LiveDrift(
        service=service,
        model_version=str(version),
        rows=sum(profile.scored for profile in chosen),
        figures=measured.figures,
        notes=tuple(notes),
        trailing=tuple(sorted(trailing)),
        window_start=window_end - timedelta(hours=spec.live.hours),
        window_end=window_end,
        features=dict(profiled.features),
        predictions=dict(profiled.predictions),
    )


def news(now: Drift, before: Drift | None) -> tuple[Figure, ...]:
    """The figures above a limit that were not so an hour ago: what people are to hear of."""

    def above(drift: Drift) -> dict[tuple[str, str, Verdict], Figure]:
        found = (*drift.of(Verdict.STOP), *drift.of(Verdict.WARN))
        return {(figure.column, figure.label, figure.verdict): figure for figure in found}

    known = above(before) if before else {}
    return tuple(figure for key, figure in above(now).items() if key not in known)
