"""Looks at what a service keeps in the work bucket, and at whom it is kept for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from beam_jobs.objects import Objects
from beam_jobs.runs.layout import runs_root
from nightstream.cleaning.decision import Sweep, judge, latest, needed_runs, unclaimed
from nightstream.cleaning.inventory import launchers_files, staged_runs
from nightstream.hooks.dataflow import DataflowHook
from nightstream.publishing.ledgers import LedgerFile
from nightstream.scoring.claims import Claim, StandingClaim, claims_of
from nightstream.scoring.jobs import job_prefix


@dataclass(frozen=True)
class Observer:
    """One look."""

    objects: Objects
    dataflow: DataflowHook
    work_bucket: str
    age: timedelta
    """What was not used for so long may go."""
    now: datetime

    def service(self, service: str, waits: Callable[[Claim], bool]) -> Sweep:
        """What is to be done about a service's runs.

        waits: whether the DAG run of a claim is still going on.
        """
        root = runs_root(self.work_bucket, service)
        runs = staged_runs(root, self.objects.list(f"{root}/"))
        # Before the claims: whoever launches a job has claimed it before.
        jobs = self.dataflow.active(job_prefix(service))
        ours = [job for job in jobs if job.labels.get("service") == service]
        claims = claims_of(self.objects, self.work_bucket, service)
        going_on = [claim for claim in claims if waits(claim.claim)]
        needed = needed_runs(ours, going_on, self._publishing(service))
        return Sweep(
            verdicts=judge(runs, needed, self.now, self.age),
            claims=tuple(c for c in claims if c not in going_on and self._is_old(c.updated)),
            jobs=unclaimed(ours, latest(going_on)),
        )

    def claimed(self, service: str, run_key: str, waits: Callable[[Claim], bool]) -> bool:
        """Whether a DAG run waits for that run, as of now."""
        claims: list[StandingClaim] = claims_of(self.objects, self.work_bucket, service)
        going_on = latest(claim for claim in claims if waits(claim.claim))
        return any(claim.run_key == run_key for claim in going_on)

    def launches(self) -> Sweep:
        """What is to be done about what the launchers of all jobs have left behind."""
        roots = [f"gs://{self.work_bucket}/dataflow/{kind}" for kind in ("staging", "temp")]
        found = [b for root in roots for b in launchers_files(root, self.objects.list(f"{root}/"))]
        active = dict.fromkeys(self.dataflow.active_names(), "its job is active")
        return Sweep(verdicts=judge(found, active, self.now, self.age))

    def _publishing(self, service: str) -> Iterator[str]:
        """Keys of the runs whose publication is under way; a ledger that nobody has touched for so
        long tells of none."""
        for item in self.objects.list(f"gs://{self.work_bucket}/{service}/published/"):
            if self._is_old(item.updated):
                continue
            intent = LedgerFile(self.objects, item.uri).read()[0].intent
            if intent:
                yield intent.publisher.run_key

    def _is_old(self, moment: datetime) -> bool:
        return self.now - moment > self.age
