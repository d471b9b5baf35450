"""Builds the DAG that cleans up after all services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow.sdk import DAG

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.dag_parts import LONG_OVER, retry_delay
from nightstream.forms.cleanup import cleanup_form
from nightstream.operators.cleanup.launches import CleanLaunchesOperator
from nightstream.operators.cleanup.runs import CleanRunsOperator

DAG_ID = "nightstream_cleanup"
_DAILY = "20 5 * * *"
_RETRIES = 1


def cleanup_dag(specs: Iterable[ServiceSpec], environment: EnvironmentSpec) -> DAG:
    """The DAG `nightstream_cleanup`: one task for each service, and one for what launchers left.

    None waits for another: the trouble of one service is no other's.
    """
    days = environment.retention.staging_days
    dag = DAG(
        DAG_ID,
        description=f"Removes files of runs that nobody has used for {days} days",
        schedule=_DAILY,
        start_date=LONG_OVER,
        catchup=False,
        max_active_runs=1,
        params=cleanup_form(),
        tags=["nightstream", "maintenance"],
        doc_md=_documentation(environment),
    )
    common: dict[str, Any] = {
        "environment": environment,
        "retries": _RETRIES,
        "retry_delay": retry_delay(environment),
    }
    # Added afterwards, as in the batch DAG.
    dag.add_tasks(
        [
            *(
                CleanRunsOperator(task_id=spec.service, spec=spec, owner=spec.owner, **common)
                for spec in specs
            ),
            CleanLaunchesOperator(task_id="launches-of-all-services", **common),
        ]
    )
    return dag


def _documentation(environment: EnvironmentSpec) -> str:
    bucket = environment.buckets.work
    return f"""\
# Clean-up

Every day, and by hand whenever you like (try a dry run first): removes from `gs://{bucket}`

- the Parquet files of runs that nobody has used for {environment.retention.staging_days} days
  (`retention.staging_days` of the environment), and never those of a run that is being scored,
  waited for or published; plans, manifests, figures of drift and reports stay for good;
- what launchers left of jobs that have ended;
- claims of DAG runs that are over.

Cancels the nightly jobs that no DAG run waits for any more. What goes, what stays, and why, is in
the task's log.
"""
