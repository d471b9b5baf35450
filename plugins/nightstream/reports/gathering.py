"""Reads what a night's report shows, and writes the page beside the night's manifest.

What cannot be read is noted on the page and left out: people look at a report when something is
wrong, and then it must be there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from beam_jobs.objects import Objects
from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.prediction.versions import ModelError, open_version
from beam_jobs.runs.layout import AttemptLayout
from beam_jobs.runs.manifest import RunSummary
from beam_jobs.spec import ServiceSpec
from nightstream.drift.figures import NightDrift, drift_uri
from nightstream.drift.measuring import Profiled
from nightstream.drift.night import night_drift
from nightstream.drift.trailing import PublishedNights
from nightstream.nights import nights_before
from nightstream.reports.night import Audited, NightReport, PastNight
from nightstream.reports.page import page
from nightstream.reports.samples import samples

log = logging.getLogger(__name__)

NIGHTS = 30
"""How far back the report looks, in nights of the schedule."""
_READERS = 8


class _PastManifest(BaseModel):
    """What is read of the manifest of another night, which another release may have written."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model_version: str
    rows_scored: int
    rows_dead: int
    summary: RunSummary


def report_uri(manifest_uri: str) -> str:
    """Where the report of the attempt with that manifest is kept."""
    return AttemptLayout(manifest_uri.rpartition("/")[0]).report


@dataclass(frozen=True)
class Reporter:
    """Writes the reports of one service."""

    objects: Objects
    work_bucket: str
    spec: ServiceSpec

    def write(self, audited: Audited, manifest_uri: str, now: datetime) -> str:
        """The URI of the page."""
        uri = report_uri(manifest_uri)
        self.objects.put(uri, page(self.gather(audited, now)).encode())
        return uri

    def gather(self, audited: Audited, now: datetime) -> NightReport:
        """Everything that the page shows."""
        notes: list[str] = []
        plan = audited.plan
        reference = self._reference(audited, notes)
        before = nights_before(
            self.spec.schedule, plan.score_date, max(NIGHTS, self.spec.drift.trailing_nights)
        )
        past = self._past(before)
        drift = audited.drift or self._drift(audited, before, past, reference)
        return NightReport(
            audited=audited,
            drift=drift,
            reference=reference,
            past={night: past[night] for night in before[:NIGHTS] if night in past}
            | {night: past[night] for night in (drift.trailing if drift else ()) if night in past},
            samples=samples(audited.manifest, self.objects, notes),
            notes=tuple(notes),
            written_at=now,
        )

    def _reference(self, audited: Audited, notes: list[str]) -> ReferenceStatistics | None:
        try:
            return open_version(audited.plan.model.uri, self.objects).reference
        except ModelError as error:
            notes.append(f"the model's training data: {error}")
            return None

    def _drift(
        self,
        audited: Audited,
        before: list[date],
        past: Mapping[date, PastNight],
        reference: ReferenceStatistics | None,
    ) -> NightDrift | None:
        """Of a night that was refused before the audit came to its drift."""
        if reference is None:
            return None
        nights = before[: self.spec.drift.trailing_nights]
        trailing = {night: past[night].profiled for night in nights if night in past}
        plan, manifest = audited.plan, audited.manifest
        return night_drift(self.spec, plan.score_date, manifest, reference, trailing)

    def _past(self, nights: list[date]) -> dict[date, PastNight]:
        published = PublishedNights(self.objects, self.work_bucket, self.spec.service)
        manifests = published.manifests(nights)
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(self._past_night, manifests.values())
            return {night: past for night, past in zip(manifests, found, strict=True) if past}

    def _past_night(self, manifest_uri: str) -> PastNight | None:
        try:
            manifest = _PastManifest.model_validate_json(self.objects.read(manifest_uri))
        except (FileNotFoundError, ValidationError) as error:
            log.warning("%s is left out of the report: %s", manifest_uri, error)
            return None
        summary = manifest.summary
        return PastNight(
            rows_scored=manifest.rows_scored,
            rows_dead=manifest.rows_dead,
            model_version=manifest.model_version,
            profiled=Profiled(summary.features, summary.predictions),
            drift=self._past_drift(manifest_uri),
        )

    def _past_drift(self, manifest_uri: str) -> NightDrift | None:
        try:
            return NightDrift.model_validate_json(self.objects.read(drift_uri(manifest_uri)))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            log.warning("the drift beside %s is left out of the report: %s", manifest_uri, error)
            return None
