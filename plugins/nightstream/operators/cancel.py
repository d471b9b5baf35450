"""Cancels a night's job: the one way to do so, and only when a person asked for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.operators.base import night_of
from nightstream.operators.claiming import waits
from nightstream.operators.job_waiting import JobWaitingOperator

if TYPE_CHECKING:
    from datetime import date

    from airflow.providers.common.compat.sdk import Context

    from nightstream.jobs.job import Job
    from nightstream.scoring.claims import Claim


class CancelOperator(JobWaitingOperator):
    """Cancels every active job of the night, unless more than one DAG run waits for it.

    A job that is just being launched is waited for, and cancelled then.
    """

    ui_color = "#fbe8e8"

    def turn(self, context: Context) -> None:
        from nightstream.jobs.job import Phase

        night, state_of = night_of(context, self.spec), context["ti"].get_dagrun_state
        # Before the jobs: a launch that is over by then has its job among them.
        launches = [claim for claim in self._launches(night) if waits(claim, state_of)]
        jobs = self._jobs(night)
        active = [job for job in jobs if job.phase is Phase.ACTIVE]
        for job in active:
            self._refuse_if_shared(job, night, state_of)
        for job in active:
            self.log.info("Cancelling job %s (%s)", job.name, job.id)
            self.dataflow.cancel(job.id)
        for job in map(self.dataflow.get, [job.id for job in jobs]):
            if job.phase is not Phase.ENDED:
                self.wait_for(job)
        if launches:
            self._wait_for_launch(launches[0])
        self.log.info("No job of %s for night %s is active", self.spec.service, night)

    def _launches(self, night: date) -> list[Claim]:
        """The claims of launches that may still come to something."""
        from nightstream.scoring.claims import launches

        longest = timedelta(seconds=self.environment.dataflow.launch_timeout_seconds)
        return launches(self.objects, self._claims_folder(night), datetime.now(UTC) - longest)

    def _wait_for_launch(self, claim: Claim) -> NoReturn:
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

        self.log.info("%s, run %s, is launching a job: waiting for it", claim.dag_id, claim.run_id)
        self.wait(TimeDeltaTrigger(timedelta(seconds=self.environment.airflow.poll_seconds)))

    def _jobs(self, night: date) -> list[Job]:
        """The night's jobs that have not ended; the labels decide, names of services overlap."""
        from nightstream.scoring.jobs import job_prefix

        wanted = {"service": self.spec.service, "score_date": night.isoformat()}
        jobs = self.dataflow.active(job_prefix(self.spec.service))
        return [job for job in jobs if wanted.items() <= dict(job.labels).items()]

    def _refuse_if_shared(self, job: Job, night: date, state_of: Callable[[str, str], str]) -> None:
        from nightstream.scoring.claims import Claims

        claims = Claims(self.objects, self._claims_folder(night), job.labels["run_key"])
        waiting = [claim for claim in claims.all() if waits(claim, state_of)]
        if len(waiting) > 1:
            names = "; ".join(f"{claim.dag_id}, run {claim.run_id}" for claim in waiting)
            raise AirflowFailException(
                f"job {job.name} ({job.id}) is not cancelled: {len(waiting)} DAG runs wait for it "
                f"({names}). Remedy: mark the task `score` of all but one of them as failed, then "
                "cancel again"
            )

    def _claims_folder(self, night: date) -> str:
        from nightstream.scoring.claims import claims_folder

        return claims_folder(self.environment.buckets.work, self.spec.service, night)
