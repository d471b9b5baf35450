"""Builds the nightly DAG of a service."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, CronDataIntervalTimetable, chain

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.alerts import deadline_alert
from nightstream.dag_parts import service_task
from nightstream.documentation import batch_documentation
from nightstream.forms.batch import night_form
from nightstream.operators.audit import AuditOperator
from nightstream.operators.await_input import AwaitInputOperator
from nightstream.operators.cancel import CancelOperator
from nightstream.operators.publish import PublishOperator
from nightstream.operators.record import RecordOperator
from nightstream.operators.resolve import ResolveOperator
from nightstream.operators.score import ScoreOperator

SUFFIX = "_batch"


def batch_dag(spec: ServiceSpec, environment: EnvironmentSpec) -> DAG:
    """The DAG `<service>_batch`: await input → resolve → score → audit → publish → record."""
    schedule = spec.schedule
    dag = DAG(
        f"{spec.service}{SUFFIX}",
        description=spec.description or f"Nightly scoring of {spec.service}",
        schedule=CronDataIntervalTimetable(schedule.cron, timezone=schedule.timezone),
        start_date=datetime.combine(schedule.start, time.min, ZoneInfo(schedule.timezone)),
        catchup=False,
        max_active_runs=schedule.max_active_runs,
        params=night_form(),
        tags=["nightstream", "batch", spec.owner],
        doc_md=batch_documentation(spec, environment),
        **deadline_alert(spec, environment),
    )
    common = service_task(spec, environment)
    steps = [
        await_input := AwaitInputOperator(task_id="await_input", **common),
        ResolveOperator(task_id="resolve", **common),
        ScoreOperator(task_id="score", **common),
        audit := AuditOperator(task_id="audit", **common),
        PublishOperator(task_id="publish", **common),
        record := RecordOperator(task_id="record", **common),
    ]
    cancel = CancelOperator(task_id="cancel", **common)
    # Added afterwards: a task that is made inside a DAG copies the whole form, which would be most
    # of the time that many services take to parse.
    dag.add_tasks([*steps, cancel])
    chain(*steps)
    await_input >> cancel
    audit >> record  # also where nothing had to be published
    return dag
