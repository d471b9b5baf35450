"""The nights that a night is compared with: what was counted of those that are published."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict, ValidationError

from beam_jobs.objects import Objects
from beam_jobs.runs.manifest import RunSummary
from nightstream.drift.measuring import Profiled
from nightstream.publishing.ledgers import LedgerFile, ledger_uri

log = logging.getLogger(__name__)

_READERS = 8


class _Counted(BaseModel):
    """What is read of the manifest of another night, which another release may have written."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    summary: RunSummary


@dataclass(frozen=True)
class PublishedNights:
    """The published nights of one service.

    A night that is not published, or whose manifest is gone or unreadable, is simply not there:
    what happened to an old night is no reason to stop a new one.
    """

    objects: Objects
    work_bucket: str
    service: str

    def manifests(self, nights: Iterable[date]) -> dict[date, str]:
        """The URI of the manifest of what stands published, by night."""
        listed = list(nights)
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(self._manifest, listed)
            return {night: uri for night, uri in zip(listed, found, strict=True) if uri}

    def profiles(self, nights: Iterable[date]) -> Mapping[date, Profiled]:
        """What was counted of each night; at most two small objects are read for each."""
        manifests = self.manifests(nights)
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(self._profile, manifests.values())
            return {night: seen for night, seen in zip(manifests, found, strict=True) if seen}

    def _manifest(self, night: date) -> str | None:
        uri = ledger_uri(self.work_bucket, self.service, night)
        try:
            published = LedgerFile(self.objects, uri).read()[0].published
        except ValidationError as error:
            log.warning("night %s is left out of the comparison: %s: %s", night, uri, error)
            return None
        return published.intent.publisher.manifest_uri if published else None

    def _profile(self, manifest_uri: str) -> Profiled | None:
        try:
            summary = _Counted.model_validate_json(self.objects.read(manifest_uri)).summary
        except (FileNotFoundError, ValidationError) as error:
            log.warning("%s is left out of the comparison: %s", manifest_uri, error)
            return None
        return Profiled(summary.features, summary.predictions)
