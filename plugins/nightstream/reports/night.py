"""What the report of a night is made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.runs.manifest import RunManifest
from beam_jobs.runs.plan import RunPlan
from nightstream.drift.figures import Baseline, Drift, Measure, NightDrift, Verdict
from nightstream.drift.measuring import Profiled


class Decision(StrEnum):
    """What the audit makes of a night."""

    PASSED = "passed"
    REFUSED = "refused"
    """It has findings."""
    STOPPED = "stopped"
    """It drifts too far."""
    ALLOWED = "allowed"
    """It drifts too far, and a person let it through."""


@dataclass(frozen=True)
class Audited:
    """A night and what its audit says of it."""

    plan: RunPlan
    manifest: RunManifest
    findings: tuple[str, ...]
    drift: NightDrift | None
    """None where the night was refused before it was measured."""
    drift_allowed: str | None
    started_at: datetime | None
    """When the DAG run began."""


@dataclass(frozen=True)
class PastNight:
    """What is known of an earlier night that stands published."""

    rows_scored: int
    rows_dead: int
    model_version: str
    profiled: Profiled
    drift: Drift | None
    """None where it was not measured, or is kept no longer."""

    def psi(self) -> dict[str, float | None]:
        """Against the training data, by column."""
        return psi_by_column(self.drift) if self.drift else {}


@dataclass(frozen=True)
class Sample:
    """One dead letter."""

    source: str
    field: str
    message: str
    payload: bytes


@dataclass(frozen=True)
class NightReport:
    """Everything that a night's page shows."""

    audited: Audited
    drift: NightDrift | None
    """None where it could not be measured at all; then `notes` says why."""
    reference: ReferenceStatistics | None
    past: Mapping[date, PastNight]
    samples: Mapping[str, tuple[Sample, ...]]
    """A few dead letters of each error code."""
    notes: tuple[str, ...]
    """What could not be read, and why."""
    written_at: datetime

    @property
    def decision(self) -> Decision:
        if self.audited.findings:
            return Decision.REFUSED
        if self.drift is None or self.drift.verdict is not Verdict.STOP:
            return Decision.PASSED
        return Decision.STOPPED if self.audited.drift_allowed is None else Decision.ALLOWED

    @property
    def profiled(self) -> Profiled:
        summary = self.audited.manifest.summary
        return Profiled(summary.features, summary.predictions)

    @property
    def trailing(self) -> dict[date, Profiled]:
        """What the night was compared with, besides the training data."""
        nights = self.drift.trailing if self.drift else ()
        return {night: self.past[night].profiled for night in nights if night in self.past}


def psi_by_column(drift: Drift) -> dict[str, float | None]:
    """Against the training data."""
    return {
        figure.column: figure.value
        for figure in drift.figures
        if figure.measure is Measure.PSI and figure.against is Baseline.REFERENCE
    }
