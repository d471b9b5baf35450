"""Builds the DAG of a service's streaming job."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, DeltaTriggerTimetable, chain

from beam_jobs.spec import EnvironmentSpec, ServiceSpec, SpecError
from nightstream.dag_parts import LONG_OVER
from nightstream.documentation import streaming_documentation
from nightstream.forms.streaming import streaming_form
from nightstream.operators.streaming.act import ActOperator
from nightstream.operators.streaming.broken import BrokenSpecOperator
from nightstream.operators.streaming.decide import DecideOperator
from nightstream.operators.streaming.observe import ObserveOperator
from nightstream.operators.streaming.record import RecordRoundOperator

SUFFIX = "_streaming"
_STEPS = ("observe", "decide", "act", "record")
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
        dagrun_timeout=launch + 6 * _A_FEW_CALLS,
        params=streaming_form(),
        tags=["nightstream", "streaming", spec.owner],
        doc_md=streaming_documentation(spec, environment),
        **_every_few_minutes(environment),
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


def broken_streaming_dag(error: SpecError, environment: EnvironmentSpec) -> DAG:
    """Stands in for the DAG of a service whose spec cannot be read: its rounds say so and fail.

    The job runs on meanwhile.
    """
    dag = DAG(
        f"{Path(error.file).stem}{SUFFIX}",
        description="The spec cannot be read: nobody looks after the job",
        tags=["nightstream", "streaming"],
        doc_md=f"The spec cannot be read, and the job goes on as it is.\n\n```\n{error}\n```\n",
        **_every_few_minutes(environment),
    )
    # All four, for the sake of rounds that are under way.
    steps = [BrokenSpecOperator(task_id=name, problems=str(error), retries=0) for name in _STEPS]
    dag.add_tasks(steps)
    chain(*steps)
    return dag


def _every_few_minutes(environment: EnvironmentSpec) -> dict[str, Any]:
    """One round at a time; those of the past are not made up for."""
    every = timedelta(seconds=environment.airflow.reconcile_seconds)
    return {
        "schedule": DeltaTriggerTimetable(every),
        "start_date": LONG_OVER,
        "catchup": False,
        "max_active_runs": 1,
    }
