"""Which DAG runs wait for a run's job: one small object each, below the run's folder.

A job that several DAG runs wait for must not be cancelled for one of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from beam_jobs.objects import Objects
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import Pinned


class Claim(Pinned):
    """One DAG run waits for a job, or is about to launch it."""

    dag_id: str
    run_id: str
    try_number: int = 0
    """The try of the task `score` that wrote the claim."""
    job_id: str | None = None
    attempt: int | None = None


@dataclass(frozen=True)
class Claims:
    """The claims on one run."""

    objects: Objects
    layout: RunLayout

    def all(self) -> list[Claim]:
        listing = self.objects.list(f"{self.layout.folder}/claims/")
        return [Claim.model_validate_json(self.objects.read(item.uri)) for item in listing]

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
        return f"{self.layout.folder}/claims/{digest}.json"
