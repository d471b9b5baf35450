"""Cancels a night's job: the one way to do so, and only when a person asked for it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk.exceptions import AirflowRuntimeError

from nightstream.operators.job_waiting import JobWaitingOperator

if TYPE_CHECKING:
    from datetime import date

    from airflow.providers.common.compat.sdk import Context

    from nightstream.scoring.claims import Claim
    from nightstream.scoring.jobs import Job


class CancelOperator(JobWaitingOperator):
    """Cancels every active job of the night, unless more than one DAG run waits for it."""

    ui_color = "#fbe8e8"

    def turn(self, context: Context) -> None:
        from nightstream.scoring.jobs import Phase

        night = self.score_date(context)
        jobs = self._jobs(night)
        if not jobs:
            self.log.info("No job of %s for night %s is active", self.spec.service, night)
            return
        active = [job for job in jobs if job.phase is Phase.ACTIVE]
        for job in active:
            self._refuse_if_shared(job, context["ti"].get_dagrun_state)
        for job in active:
            self.log.info("Cancelling job %s (%s)", job.name, job.id)
            self.dataflow.cancel(job.id)
        for job in map(self.dataflow.get, [job.id for job in jobs]):
            if job.phase is not Phase.ENDED:
                self.wait_for(job)
        self.log.info("All jobs of night %s have ended", night)

    def _jobs(self, night: date) -> list[Job]:
        """The night's jobs that have not ended; the labels decide, names of services overlap."""
        from nightstream.scoring.jobs import job_prefix

        wanted = {"service": self.spec.service, "score_date": night.isoformat()}
        jobs = self.dataflow.active(job_prefix(self.spec.service))
        return [job for job in jobs if wanted.items() <= dict(job.labels).items()]

    def _refuse_if_shared(self, job: Job, state_of: Callable[[str, str], str]) -> None:
        waiting = [claim for claim in self._claims(job) if _waits(claim, state_of)]
        if len(waiting) > 1:
            names = "; ".join(f"{claim.dag_id}, run {claim.run_id}" for claim in waiting)
            raise AirflowFailException(
                f"job {job.name} ({job.id}) is not cancelled: {len(waiting)} DAG runs wait for it "
                f"({names}). Remedy: mark the task `score` of all but one of them as failed, then "
                "cancel again"
            )

    def _claims(self, job: Job) -> list[Claim]:
        from beam_jobs.runs.layout import RunLayout, runs_root
        from nightstream.scoring.claims import Claims

        root = runs_root(self.environment.buckets.work, self.spec.service)
        return Claims(self.objects, RunLayout(root, job.labels["run_key"])).all()


def _waits(claim: Claim, state_of: Callable[[str, str], str]) -> bool:
    """Whether the claim's DAG run is still going on; one that was deleted is not."""
    try:
        return state_of(claim.dag_id, claim.run_id) in ("running", "queued")
    except AirflowRuntimeError as error:
        if (error.error.detail or {}).get("status_code") == HTTPStatus.NOT_FOUND:
            return False
        raise
