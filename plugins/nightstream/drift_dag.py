"""Builds the DAG that watches the drift of a service's live requests."""

from __future__ import annotations

from airflow.sdk import DAG, CronTriggerTimetable

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.dag_parts import LONG_OVER, service_task
from nightstream.operators.watch_drift import WatchDriftOperator

SUFFIX = "_drift"


def drift_dag(spec: ServiceSpec, environment: EnvironmentSpec) -> DAG:
    """The DAG `<service>_drift`: once an hour, when the hour's last counts have arrived."""
    hours = spec.drift.live.hours
    dag = DAG(
        f"{spec.service}{SUFFIX}",
        description=f"Compares the live requests of {spec.service} with its training data",
        schedule=CronTriggerTimetable("5 * * * *", timezone="UTC"),
        start_date=LONG_OVER,
        catchup=False,
        max_active_runs=1,
        tags=["nightstream", "drift", spec.owner],
        doc_md=f"Every hour the requests of the last {hours} are compared with the training data "
        f"and with the same hours of {spec.drift.trailing_nights} days before, by the spec's "
        f"section `drift`. The figures are in `{environment.bigquery.dataset}."
        f"{spec.service}_drift_live`; who is to be told is told of what is new. Nothing is "
        "stopped.",
    )
    watch = WatchDriftOperator(task_id="watch_drift", **service_task(spec, environment))
    # Added afterwards, as in the batch DAG.
    dag.add_task(watch)
    return dag
