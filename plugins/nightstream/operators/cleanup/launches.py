"""Removes what the launchers of ended jobs left in Dataflow's folders of the work bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from nightstream.forms.cleanup import CleanupChoices

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.spec import EnvironmentSpec


class CleanLaunchesOperator(BaseOperator):
    """Pipelines, packages and temporary files, of batch and of streaming jobs alike.

    A job that goes on needs its own for every worker that is started, however old they are.
    Returns how many files were removed.
    """

    ui_color = "#eef2e6"

    def __init__(self, *, environment: EnvironmentSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment

    def execute(self, context: Context) -> int:
        from nightstream.cleaning.observing import Observer
        from nightstream.cleaning.report import report
        from nightstream.cleaning.sweeping import Sweeper
        from nightstream.hooks.dataflow import DataflowHook
        from nightstream.hooks.storage import gcs_objects

        objects = gcs_objects(self.environment)
        age = timedelta(days=self.environment.retention.staging_days)
        observer = Observer(
            objects,
            DataflowHook(self.environment),
            self.environment.buckets.work,
            age,
            datetime.now(UTC),
        )
        sweep = observer.launches()
        self.log.info("%s", report(sweep))
        if CleanupChoices.of(context).dry_run:
            self.log.info("A dry run: nothing is removed")
            return 0
        sweeper = Sweeper(objects)
        sweeper.remove_all(verdict.bundle for verdict in sweep.verdicts if verdict.goes)
        self.log.info("%d files were removed", sweeper.removed)
        return sweeper.removed
