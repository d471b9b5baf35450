"""What the tasks of a service have in common."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    BaseOperator,
)

from nightstream.forms.batch import NightChoices
from nightstream.runs import AuditedRun, PublishedRun, ResolvedRun, ScoredRun

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pydantic import BaseModel

    from beam_jobs.objects import Objects
    from beam_jobs.runs.plan import ModelPin
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec


class ServiceOperator(BaseOperator):
    """One step of a service's DAG in one environment."""

    def __init__(self, *, spec: ServiceSpec, environment: EnvironmentSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.environment = environment

    @cached_property
    def objects(self) -> Objects:
        """The environment's object store."""
        from nightstream.hooks.storage import gcs_objects

        return gcs_objects(self.environment)

    def pinned_model(self, name: str | None) -> ModelPin:
        """A night's version: of that name or alias; without one, the one that the spec names."""
        from beam_jobs.prediction.remote.deployment import OtherTrafficError
        from beam_jobs.prediction.versions import ModelError
        from nightstream.models import pin_model

        name = name or self.spec.model.version
        try:
            model = pin_model(self.spec, self.environment, name, self.objects, night=True)
        except OtherTrafficError as error:
            raise AirflowException(f"{error} (a release may be under way: tried again)") from error
        except ModelError as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("Model: %s names version %s in %s", name, model.version, model.uri)
        return model

    def require_files(self, manifest_uri: str) -> None:
        """Keeps the clean-up from the files that a manifest lists; fails for good where it came
        first."""
        from beam_jobs.runs.layout import AttemptLayout, RunLayout
        from nightstream.scoring.files import mark_used

        root, run_key, attempt, _ = manifest_uri.rsplit("/", 3)
        mark_used(RunLayout(root, run_key), self.objects)
        folder = f"{root}/{run_key}/{attempt}"
        if self.objects.stat(AttemptLayout(folder).removed):
            raise AirflowFailException(
                f"the files of {folder} were not used for "
                f"{self.environment.retention.staging_days} days and are removed. "
                "Remedy: clear the task `score`, which scores the night again"
            )

    def write_plan(self, uri: str, plan: BaseModel) -> None:
        """Writes a plan once; whoever comes later to the same identity finds it."""
        from beam_jobs.objects import ObjectExistsError

        try:
            self.objects.create(uri, plan.model_dump_json(indent=2).encode())
        except ObjectExistsError:
            self.log.info("This very work was planned before")


def night_of(context: Context, spec: ServiceSpec) -> date:
    """The score date that the DAG run is about; the same whenever and however often it is asked."""
    from beam_jobs.runs.plan import Interval
    from nightstream.nights import score_date_of

    run = context["dag_run"]
    start, end = run.data_interval_start, run.data_interval_end
    interval = Interval(start=start, end=end) if start and end else None
    given = NightChoices.of(context).score_date
    return given or score_date_of(interval, spec.schedule, run.run_after)


def resolved_run(context: Context) -> ResolvedRun:
    """What the task `resolve` of this DAG run pinned."""
    return ResolvedRun.model_validate(context["ti"].xcom_pull(task_ids="resolve"))


def scored_run(context: Context) -> ScoredRun:
    """What the task `score` of this DAG run found or made."""
    return ScoredRun.model_validate(context["ti"].xcom_pull(task_ids="score"))


def audited_run(context: Context) -> AuditedRun:
    """What the task `audit` of this DAG run found nothing against."""
    return AuditedRun.model_validate(context["ti"].xcom_pull(task_ids="audit"))


def published_run(context: Context) -> PublishedRun:
    """What the task `publish` of this DAG run did."""
    return PublishedRun.model_validate(context["ti"].xcom_pull(task_ids="publish"))
