"""Builds the DAG of a service's streaming job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, DeltaTriggerTimetable, chain

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.documentation import streaming_documentation
from nightstream.forms.streaming import streaming_form
from nightstream.operators.streaming.act import ActOperator
from nightstream.operators.streaming.decide import DecideOperator
from nightstream.operators.streaming.observe import ObserveOperator
from nightstream.operators.streaming.record import RecordRoundOperator

SUFFIX = "_streaming"
_START = datetime(2026, 1, 1, tzinfo=UTC)
"""Any day that is over: rounds of the past are not made up for."""
_A_FEW_CALLS = timedelta(minutes=5)


def streaming_dag(spec: ServiceSpec, environment: EnvironmentSpec) -> DAG:
    """The DAG `<service>_streaming`, one round of reconciliation: observe → decide → act → record.

    A round that ends early, however it ends, is made up for by the next one: nothing is tried
    again within a round, and none can hold up those that follow.
    """
    launch = timedelta(seconds=environment.dataflow.launch_timeout_seconds)
    dag = DAG(
        f"{spec.service}{SUFFIX}",
        description=f"Keeps the streaming job of {spec.service} as it is declared",
        schedule=DeltaTriggerTimetable(timedelta(seconds=environment.airflow.reconcile_seconds)),
        start_date=_START,
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=launch + 6 * _A_FEW_CALLS,
        params=streaming_form(),
        tags=["nightstream", "streaming", spec.owner],
        doc_md=streaming_documentation(spec, environment),
    )
    common: dict[str, Any] = {
        "spec": spec,
        "environment": environment,
        "owner": spec.owner,
        "retries": 0,
    }
    steps = [
        ObserveOperator(task_id="observe", execution_timeout=_A_FEW_CALLS, **common),
        DecideOperator(task_id="decide", execution_timeout=_A_FEW_CALLS, **common),
        ActOperator(task_id="act", execution_timeout=launch + _A_FEW_CALLS, **common),
        RecordRoundOperator(task_id="record", execution_timeout=_A_FEW_CALLS, **common),
    ]
    # Added afterwards, as in the batch DAG.
    dag.add_tasks(steps)
    chain(*steps)
    return dag
