"""Builds the DAG that measures a service's predictions by their labels."""

from __future__ import annotations

from airflow.sdk import DAG, chain

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from beam_jobs.spec.labels import LabelsSpec
from nightstream.dag_parts import LONG_OVER, service_task
from nightstream.forms.quality import quality_form
from nightstream.operators.quality.load import LoadLabelsOperator
from nightstream.operators.quality.measure import MeasureOperator
from nightstream.tables.quality import QUALITY_TABLE

SUFFIX = "_quality"
_DAILY = "30 12 * * *"


def quality_dag(spec: ServiceSpec, labels: LabelsSpec, environment: EnvironmentSpec) -> DAG:
    """The DAG `<service>_quality`: load (of files) → measure. One run at a time."""
    dag = DAG(
        f"{spec.service}{SUFFIX}",
        description=f"Measures the predictions of {spec.service} by labels",
        schedule=_DAILY,
        start_date=LONG_OVER,
        catchup=False,
        max_active_runs=1,
        params=quality_form(labels.days),
        tags=["nightstream", "quality", spec.owner],
        doc_md=_documentation(spec, labels, environment),
    )
    common = service_task(spec, environment)
    load = [LoadLabelsOperator(task_id="load", **common)] if labels.files else []
    steps = [*load, MeasureOperator(task_id="measure", **common)]
    # Added afterwards, as in the batch DAG.
    dag.add_tasks(steps)
    chain(*steps)
    return dag


def _documentation(spec: ServiceSpec, labels: LabelsSpec, environment: EnvironmentSpec) -> str:
    source = labels.table or f"gs://{environment.buckets.input}/{labels.files}"
    table = f"{environment.project}.{environment.bigquery.dataset}.{QUALITY_TABLE}"
    return f"""\
# {spec.service}: predictions measured by labels

Owner: {spec.owner}. Every day, and by hand for any nights: joins the labels of `{source}` to the
predictions of the last {labels.days} nights, and keeps their {labels.metric} by night and model
version in `{table}`. Labels that come late change the row of their night; measuring again changes
nothing.
"""
