"""Buttons on a task that lead to what it works with.

Airflow asks for a link once, when the task ends, in the process that ran it: the operator leaves
the address in its attribute `link`, and sets it again after every deferral.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from beam_jobs.spec import EnvironmentSpec


class _LeftByTheOperator(BaseOperatorLink):
    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002
        return str(getattr(operator, "link", ""))


class DataflowJobLink(_LeftByTheOperator):
    name = "Dataflow job"


class TableLink(_LeftByTheOperator):
    name = "BigQuery table"


def job_url(environment: EnvironmentSpec, job_id: str) -> str:
    """Where a person looks at a Dataflow job."""
    return environment.dataflow.console.format(
        project=environment.project, region=environment.dataflow.region, job_id=job_id
    )


def table_url(environment: EnvironmentSpec, table: str) -> str:
    """Where a person looks at a table of the environment's dataset."""
    return environment.airflow.table_console.format(
        project=environment.project, dataset=environment.bigquery.dataset, table=table
    )
