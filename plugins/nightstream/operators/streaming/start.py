"""Comes to a streaming job of the prepared revision: the one that is there, or a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from nightstream.forms.streaming import Action
from nightstream.operators.job_waiting import LOOKS_AFTER_LAUNCH, JobWaitingOperator
from nightstream.operators.streaming.records import asked_for, prepared_job
from nightstream.streaming.naming import Slot, live_job_name, revision_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.jobs.job import Job
    from nightstream.streaming.records import PreparedJob


class StartOperator(JobWaitingOperator):
    """Returns what `await_job` is to see running.

    A job of the name is looked for before every launch, and Dataflow itself lets only one of a
    name be active: a task that is retried, cleared or killed never starts a second.
    """

    ui_color = "#e3f4e6"

    def turn(self, context: Context) -> dict[str, Any]:
        from nightstream.streaming.decision import Adopt, Launch, Refuse, Wait, decide_start

        prepared = prepared_job(context)
        name = live_job_name(prepared.service, Slot.A)
        # Before those that stand: a job that comes between the two looks counts as new.
        known = self.dataflow.ids_named(name)
        standing = self.dataflow.active_named(name)
        match decide_start(standing, prepared.revision):
            case Adopt(job):
                self.log.info("Revision %s is there already: job %s", prepared.revision, job.id)
                return self._started(job)
            case Wait(job):
                return self.wait_for(job)
            case Refuse(reason):
                raise AirflowFailException(reason)
            case Launch():
                return self._started(self._launch(prepared, known))

    def _launch(self, prepared: PreparedJob, known: set[str]) -> Job:
        from nightstream.streaming.launch import launch_command

        streaming = self.spec.streaming
        assert streaming is not None
        launcher = self.launch(launch_command(prepared, Slot.A, streaming, self.environment))
        job = self._launched(prepared, known)
        if job:
            return job
        kind = AirflowFailException if launcher.refused else AirflowException
        raise kind(f"no job was launched; the launcher's last lines:\n{launcher.tail}")

    def _launched(self, prepared: PreparedJob, known: set[str]) -> Job | None:
        """The job that came meanwhile. However the launcher ended, it is there if the service has
        it; it may have ended by now."""
        for _ in range(LOOKS_AFTER_LAUNCH):
            ids = self.dataflow.ids_named(live_job_name(prepared.service, Slot.A)) - known
            for job in map(self.dataflow.get, ids):
                if revision_of(job) == prepared.revision:
                    return job
            self.pause_between_looks()
        return None

    def _started(self, job: Job) -> dict[str, Any]:
        self.show(job)
        return asked_for(Action.START, [job])
