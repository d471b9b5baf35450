"""The spec of one environment: where things run and under which names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared


class Buckets(Declared):
    """Bucket names, without gs://."""

    input: str
    work: str
    models: str


class BigQuerySpec(Declared):
    dataset: str
    location: str
    """Always named in every call: a job lookup without it misses regional jobs."""


class DataflowSpec(Declared):
    """Where and as whom the jobs run."""

    region: str
    endpoint: str | None = None
    """Root URL of the Dataflow API; null is Google's."""
    console: str = (
        "https://console.cloud.google.com/dataflow/jobs/{region}/{job_id}?project={project}"
    )
    worker_image: str | None = None
    """Container image of the workers, with this package installed in it."""
    service_account: str | None = None
    subnetwork: str | None = None
    public_ips: bool = True
    labels: dict[str, str] = {}
    launch_timeout_seconds: Annotated[int, Constrained(ge=10)] = 600
    submit_options: dict[str, str | bool | int] = {}
    """More Beam pipeline options, by name."""


class AirflowSpec(Declared):
    """How the operators behave in this environment's Airflow."""

    gcp_conn_id: str = "google_cloud_default"
    deferrable: bool = True
    """False where the triggerer cannot import this package: tasks reschedule themselves."""
    poll_seconds: Annotated[float, Constrained(gt=0)] = 30
    retry_delay_seconds: Annotated[float, Constrained(ge=0)] = 300
    table_console: str = (
        "https://console.cloud.google.com/bigquery?project={project}"
        "&ws=!1m5!1m4!4m3!1s{project}!2s{dataset}!3s{table}"
    )


class EnvironmentSpec(Declared):
    """Everything that differs between one place of running and another."""

    project: str
    buckets: Buckets
    bigquery: BigQuerySpec
    dataflow: DataflowSpec
    airflow: AirflowSpec = AirflowSpec()
