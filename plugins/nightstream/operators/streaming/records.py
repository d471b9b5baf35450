"""What the tasks of a streaming DAG hand to one another, in XCom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nightstream.forms.streaming import Action, StreamingChoices
from nightstream.streaming.records import AskedFor, PreparedJob

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from nightstream.jobs.job import Job


def prepared_job(context: Context) -> PreparedJob:
    """What the task `prepare` of this DAG run made ready."""
    return PreparedJob.model_validate(context["ti"].xcom_pull(task_ids="prepare"))


def asked_for(action: Action, jobs: Iterable[Job]) -> dict[str, Any]:
    """What a task has just asked of some jobs."""
    ids = tuple(job.id for job in jobs)
    return AskedFor(action=action, job_ids=ids, at=datetime.now(UTC)).model_dump(mode="json")


def was_asked_for(context: Context) -> AskedFor:
    """What the task of this DAG run's action asked for; the task is named like the action."""
    action = StreamingChoices.of(context).action
    return AskedFor.model_validate(context["ti"].xcom_pull(task_ids=str(action)))
