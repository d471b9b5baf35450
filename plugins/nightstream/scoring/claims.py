"""Which DAG runs wait for a run's job: one small object each, all those of a night together.

A job that several DAG runs wait for must not be cancelled for one of them.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from beam_jobs.objects import ObjectInfo, Objects
from beam_jobs.runs.plan import Pinned


class Claim(Pinned):
    """One DAG run waits for a job, or is about to launch it."""

    dag_id: str
    run_id: str
    try_number: int = 0
    """The try of the task `score` that wrote the claim."""
    job_id: str | None = None
    attempt: int | None = None

    @property
    def launching(self) -> bool:
        """Whether a job is being launched, as far as the claim tells."""
        return self.attempt is not None and self.job_id is None


@dataclass(frozen=True)
class StandingClaim:
    """A claim and where it lies."""

    uri: str
    run_key: str
    updated: datetime
    claim: Claim


def claims_folder(work_bucket: str, service: str, night: date) -> str:
    """Folder of the claims on all runs of a night."""
    return f"gs://{work_bucket}/{service}/claims/{night.isoformat()}"


def claims_of(objects: Objects, work_bucket: str, service: str) -> list[StandingClaim]:
    """The claims on all nights of a service."""
    found = []
    for item in objects.list(f"gs://{work_bucket}/{service}/claims/"):
        for claim in _read(objects, [item]):
            run_key = item.uri.rsplit("/", 2)[1]
            found.append(StandingClaim(item.uri, run_key, item.updated, claim))
    return found


def launches(objects: Objects, folder: str, since: datetime) -> list[Claim]:
    """The claims of a night's folder that were written since then for a launch, and have no job."""
    recent = [item for item in objects.list(f"{folder}/") if item.updated >= since]
    return [claim for claim in _read(objects, recent) if claim.launching]


@dataclass(frozen=True)
class Claims:
    """The claims on one run."""

    objects: Objects
    night: str
    """Folder of the night's claims."""
    run_key: str

    def all(self) -> list[Claim]:
        return _read(self.objects, self.objects.list(f"{self.night}/{self.run_key}/"))

    def of(self, dag_id: str, run_id: str) -> Claim:
        """The claim of a DAG run; an empty one where it has none yet."""
        try:
            return Claim.model_validate_json(self.objects.read(self._uri(dag_id, run_id)))
        except FileNotFoundError:
            return Claim(dag_id=dag_id, run_id=run_id)

    def put(self, claim: Claim) -> None:
        self.objects.put(self._uri(claim.dag_id, claim.run_id), claim.model_dump_json().encode())

    def remove(self, claim: Claim) -> None:
        self.objects.delete(self._uri(claim.dag_id, claim.run_id))

    def _uri(self, dag_id: str, run_id: str) -> str:
        digest = hashlib.sha256(f"{dag_id}\n{run_id}".encode()).hexdigest()[:16]
        return f"{self.night}/{self.run_key}/{digest}.json"


def _read(objects: Objects, listing: list[ObjectInfo]) -> list[Claim]:
    """The listed claims, but for those that were removed meanwhile."""
    claims = []
    for item in listing:
        with suppress(FileNotFoundError):
            claims.append(Claim.model_validate_json(objects.read(item.uri)))
    return claims
