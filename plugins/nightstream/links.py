"""Buttons on a task that lead to what it works with.

Airflow asks for a link once, when the task ends, in the process that ran it: the operator leaves
the address in its attribute `link`, and sets it again after every deferral.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

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


class ReportLink(_LeftByTheOperator):
    name = "Report"


class LedgerLink(BaseOperatorLink):
    """Leads to the ledger of a service's streaming jobs."""

    name = "Ledger"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002
        from nightstream.streaming.ledgers import ledger_uri

        environment: EnvironmentSpec = operator.environment
        uri = ledger_uri(environment.buckets.work, operator.spec.service)
        return object_url(environment, uri)


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


def object_url(environment: EnvironmentSpec, uri: str) -> str:
    """Where a person looks at an object of Cloud Storage."""
    bucket, name = uri.removeprefix("gs://").split("/", 1)
    return environment.airflow.object_console.format(
        project=environment.project,
        bucket=bucket,
        name=quote(name),
        encoded_name=quote(name, safe=""),
    )
