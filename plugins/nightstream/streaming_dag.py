"""Builds the DAG of a service's streaming job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.documentation import streaming_documentation
from nightstream.forms.streaming import streaming_form
from nightstream.operators.streaming.await_job import AwaitJobOperator
from nightstream.operators.streaming.choose import ChooseOperator
from nightstream.operators.streaming.prepare import PrepareOperator
from nightstream.operators.streaming.start import StartOperator
from nightstream.operators.streaming.stop import CancelJobOperator, DrainOperator

SUFFIX = "_streaming"


def streaming_dag(spec: ServiceSpec, environment: EnvironmentSpec) -> DAG:
    """The DAG `<service>_streaming`: choose → prepare → start, drain or cancel → await_job."""
    dag = DAG(
        f"{spec.service}{SUFFIX}",
        description=f"The streaming job of {spec.service}",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        params=streaming_form(),
        tags=["nightstream", "streaming", spec.owner],
        doc_md=streaming_documentation(spec, environment),
    )
    common: dict[str, Any] = {
        "spec": spec,
        "environment": environment,
        "owner": spec.owner,
        "retries": spec.schedule.retries,
        "retry_delay": timedelta(seconds=environment.airflow.retry_delay_seconds),
    }
    choose = ChooseOperator(task_id="choose", **common)
    prepare = PrepareOperator(task_id="prepare", **common)
    start = StartOperator(task_id="start", **common)
    drain = DrainOperator(task_id="drain", **common)
    cancel = CancelJobOperator(task_id="cancel", **common)
    await_job = AwaitJobOperator(task_id="await_job", **common)
    # Added afterwards, as in the batch DAG.
    dag.add_tasks([choose, prepare, start, drain, cancel, await_job])
    choose >> [prepare, drain, cancel]
    prepare >> start
    [start, drain, cancel] >> await_job
    return dag
