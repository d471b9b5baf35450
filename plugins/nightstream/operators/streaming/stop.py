"""Stops a service's streaming jobs, one way or the other; only a person asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightstream.forms.streaming import Action
from nightstream.operators.job_waiting import JobWaitingOperator
from nightstream.operators.streaming.records import asked_for
from nightstream.streaming.naming import Slot, jobs_of, live_job_name

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.jobs.job import Job


class _StopOperator(JobWaitingOperator):
    """Returns what `await_job` is to see come to its end; nothing to stop is no failure."""

    ui_color = "#fbe8e8"

    def standing(self) -> list[Job]:
        """The service's jobs that have not ended, in every slot; one in a state that nobody knows
        is waited out."""
        from nightstream.jobs.job import Phase

        names = [live_job_name(self.spec.service, slot) for slot in Slot]
        jobs = jobs_of(self.spec.service, (j for n in names for j in self.dataflow.active_named(n)))
        if not jobs:
            self.log.info("No streaming job of %s is active", self.spec.service)
        for job in jobs:
            self.show(job)
            if job.phase is Phase.UNKNOWN:
                self.wait_for(job)
        return jobs


class DrainOperator(_StopOperator):
    """Lets the jobs finish what they have read. Only a running job can be drained."""

    def turn(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        jobs = self.standing()
        for job in jobs:
            if job.starting:
                self.wait_for(job, [job.state])
            if job.state == "RUNNING":
                self.log.info("Draining job %s (%s)", job.name, job.id)
                self.dataflow.drain(job.id)
        return asked_for(Action.DRAIN, jobs)


class CancelJobOperator(_StopOperator):
    """Stops the jobs at once, also one that is being drained."""

    def turn(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        jobs = self.standing()
        for job in jobs:
            if job.state != "CANCELLING":
                self.log.info("Cancelling job %s (%s)", job.name, job.id)
                self.dataflow.cancel(job.id)
        return asked_for(Action.CANCEL, jobs)
