"""The last task of a streaming DAG: what was asked for has come to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import TriggerRule

from nightstream.operators.job_waiting import JobWaitingOperator
from nightstream.operators.streaming.records import was_asked_for

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.jobs.job import Job


class AwaitJobOperator(JobWaitingOperator):
    """Waits until a started job runs, a drained one is drained, a cancelled one has ended.

    Returns the states of the jobs by id.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
        super().__init__(**kwargs)

    def turn(self, context: Context) -> dict[str, str]:
        from nightstream.streaming.decision import Reached, Refuse, Wait, judge

        asked = was_asked_for(context)
        deadline = asked.at + timedelta(seconds=self.environment.dataflow.drain_timeout_seconds)
        jobs = [self.dataflow.get(job_id) for job_id in asked.job_ids]
        for job in jobs:
            match judge(asked.action, job, deadline, datetime.now(UTC)):
                case Wait(job, until):
                    self.wait_for(job, [job.state], until)
                case Refuse(reason):
                    self._fail(job, reason)
                case Reached():
                    self.show(job)
        states = {job.id: job.state for job in jobs}
        self.log.info("%s: %s", asked.action, states or "there was no active job")
        return states

    def _fail(self, job: Job, reason: str) -> None:
        self.show(job)
        errors = self.dataflow.errors(job.id)
        raise AirflowFailException("\n".join([reason, *errors]))
