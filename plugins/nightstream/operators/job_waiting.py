"""What the tasks that deal with Dataflow jobs have in common."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from nightstream.links import DataflowJobLink, job_url
from nightstream.operators.waiting import WaitingOperator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow.providers.common.compat.sdk import Context

    from nightstream.hooks.dataflow import DataflowHook
    from nightstream.jobs.job import Job
    from nightstream.jobs.launcher import Launched


LOOKS_AFTER_LAUNCH = 5
"""How often a job that was just launched is looked for before it is missed."""


class JobWaitingOperator(WaitingOperator):
    """Looks at Dataflow jobs, launches them and waits for them.

    A task that is killed, cleared or retried leaves its job alone: there is no `on_kill`.
    """

    operator_extra_links = (DataflowJobLink(),)
    link = ""

    @cached_property
    def dataflow(self) -> DataflowHook:
        from nightstream.hooks.dataflow import DataflowHook

        return DataflowHook(self.environment)

    def show(self, job: Job) -> None:
        """Makes the job the one that the task's button leads to."""
        self.link = job_url(self.environment, job.id)

    def wait_for(
        self, job: Job, states: Sequence[str] = (), until: datetime | None = None
    ) -> NoReturn:
        """Ends this turn of the task; the next one comes when the job has left the states (those
        of its phase, if none are named), or at the deadline."""
        from nightstream.jobs.job import states_like
        from nightstream.triggers.dataflow_job import DataflowJobTrigger

        self.show(job)
        self.log.info("Job %s (%s) is %s: %s", job.name, job.id, job.state, self.link)
        environment = self.environment.model_dump(mode="json")
        self.wait(
            DataflowJobTrigger(
                job.id,
                list(states or states_like(job)),
                environment,
                until.isoformat() if until else None,
            )
        )

    def launch(self, command: Sequence[str]) -> Launched:
        """Runs a launcher, within the environment's time; what it says goes into the task's log."""
        from nightstream.jobs.launcher import run_launcher

        timeout = self.environment.dataflow.launch_timeout_seconds
        self.log.info("Launching (within %d s): %s", timeout, command)
        with self.dataflow.provide_gcp_credential_file_as_context():
            launched = run_launcher(command, timeout, self.log.info)
        if launched.timed_out:
            self.log.warning("The launcher took longer than %d s and was killed", timeout)
        return launched

    def pause_between_looks(self) -> None:
        """Between two looks for a job that was just launched."""
        time.sleep(min(self.environment.airflow.poll_seconds, 2))

    def execute(self, context: Context) -> Any:
        return self.turn(context)

    def execute_complete(self, context: Context, event: Any = None, **_: Any) -> Any:
        self.log.info("Looking again, because of %s", event)
        return self.turn(context)

    def turn(self, context: Context) -> Any:
        """Looks, and acts or waits. Every turn begins from nothing."""
        raise NotImplementedError
