"""Removes the files of a service's old runs, and cancels the jobs that nobody waits for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nightstream.forms.cleanup import CleanupChoices
from nightstream.operators.base import ServiceOperator
from nightstream.operators.claiming import waits

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.cleaning.decision import Sweep
    from nightstream.cleaning.observing import Observer
    from nightstream.hooks.dataflow import DataflowHook
    from nightstream.jobs.job import Job
    from nightstream.scoring.claims import Claim


class CleanRunsOperator(ServiceOperator):
    """Never touches a run that somebody works with; what it leaves is a service's records.

    Returns how many files were removed.
    """

    ui_color = "#eef2e6"

    def execute(self, context: Context) -> int:
        from nightstream.cleaning.observing import Observer
        from nightstream.cleaning.report import report
        from nightstream.hooks.dataflow import DataflowHook

        dataflow = DataflowHook(self.environment)
        age = timedelta(days=self.environment.retention.staging_days)
        work = self.environment.buckets.work
        observer = Observer(self.objects, dataflow, work, age, datetime.now(UTC))
        state_of = context["ti"].get_dagrun_state

        def going_on(claim: Claim) -> bool:
            return waits(claim, state_of)

        sweep = observer.service(self.spec.service, going_on)
        self.log.info("%s\n%s", self.spec.service, report(sweep))
        if CleanupChoices.of(context).dry_run:
            self.log.info("A dry run: nothing is removed, no job is cancelled")
            return 0
        for job in sweep.jobs:
            self._cancel(job, dataflow, observer, going_on)
        return self._removed(sweep)

    def _cancel(
        self,
        job: Job,
        dataflow: DataflowHook,
        observer: Observer,
        going_on: Callable[[Claim], bool],
    ) -> None:
        """Cancels a job, unless it has ended or somebody has begun to wait for it since."""
        from nightstream.jobs.job import Phase

        claimed = observer.claimed(self.spec.service, job.labels["run_key"], going_on)
        if claimed or dataflow.get(job.id).phase is not Phase.ACTIVE:
            self.log.info("Job %s (%s) is left alone: things changed", job.name, job.id)
            return
        self.log.warning(
            "Cancelling job %s (%s) of night %s, run %s: no DAG run waits for it",
            job.name,
            job.id,
            job.labels.get("score_date"),
            job.labels["run_key"],
        )
        dataflow.cancel(job.id)

    def _removed(self, sweep: Sweep) -> int:
        from nightstream.cleaning.sweeping import Sweeper

        sweeper = Sweeper(self.objects)
        for standing in sweep.claims:
            self.objects.delete(standing.uri)
        sweeper.remove_runs(verdict.bundle for verdict in sweep.verdicts if verdict.goes)
        self.log.info("%d files were removed", sweeper.removed)
        return sweeper.removed
