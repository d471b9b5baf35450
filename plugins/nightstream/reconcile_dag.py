"""Builds the DAG that reconciles the books of all services."""

from __future__ import annotations

from collections.abc import Iterable

from airflow.sdk import DAG

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.dag_parts import LONG_OVER, retry_delay
from nightstream.forms.reconcile import reconcile_form
from nightstream.operators.reconcile import DAYS, ReconcileOperator

DAG_ID = "nightstream_reconcile"
_DAILY = "50 11 * * *"
"""When the nights of most timezones are published."""
_RETRIES = 1


def reconcile_dag(specs: Iterable[ServiceSpec], environment: EnvironmentSpec) -> DAG:
    """The DAG `nightstream_reconcile`: one task for each service, none waiting for another."""
    dag = DAG(
        DAG_ID,
        description="Inputs = predictions + dead letters - replayed?",
        schedule=_DAILY,
        start_date=LONG_OVER,
        catchup=False,
        max_active_runs=1,
        params=reconcile_form(DAYS),
        tags=["nightstream", "maintenance"],
        doc_md=_DOCUMENTATION,
    )
    # Added afterwards, as in the batch DAG.
    dag.add_tasks(
        ReconcileOperator(
            task_id=spec.service,
            spec=spec,
            environment=environment,
            owner=spec.owner,
            retries=_RETRIES,
            retry_delay=retry_delay(environment),
        )
        for spec in specs
    )
    return dag


_DOCUMENTATION = f"""\
# The books

Every day, and by hand for any days: compares, for each service and the last {DAYS} days, the input
objects, the manifests, the ledgers of publication, the tables and `scoring_runs`; and the tables of
the requests of those days. A task that fails names every difference, with its remedy, in its log
and by an alert. Nothing is changed. On a command line:
`python -m nightstream.reconcile --service … --from … --to …`.
"""
