"""The spec of one environment: where things run and under which names."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Refusal


def _label_key(key: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key):
        raise Refusal(
            f"{key!r} is no key that Dataflow takes for a label",
            "use at most 63 lower-case letters, digits, _ and -, the first a letter",
        )
    return key


def _label_value(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
        raise Refusal(
            f"{value!r} is no value that Dataflow takes for a label",
            "use at most 63 lower-case letters, digits, _ and -",
        )
    return value


LabelKey = Annotated[str, AfterValidator(_label_key)]
LabelValue = Annotated[str, AfterValidator(_label_value)]


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
    labels: dict[LabelKey, LabelValue] = {}
    """Labels of every job, beside those that Nightstream sets itself."""
    launch_timeout_seconds: Annotated[int, Constrained(ge=10)] = 600
    drain_timeout_seconds: Annotated[int, Constrained(ge=1)] = 3600
    """What happens to a job whose drain takes longer, its service's `drain.after_deadline` says."""
    submit_options: dict[str, str | bool | int] = {}
    """More Beam pipeline options, by name."""


def _import_path(path: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", path):
        raise Refusal(
            f"{path!r} is no import path of a class",
            "write module and class, such as nightstream.notifiers.LogNotifier",
        )
    return path


class NotifierSpec(Declared):
    """Who is told of alerts: a notifier of Airflow's, called once for each of them."""

    notifier: Annotated[str, AfterValidator(_import_path)]
    """Import path of the class: `airflow.providers.smtp.notifications.smtp.SmtpNotifier`."""
    arguments: dict[str, Any] = {}
    """What the class is made with. Where it takes templates, these know the alert:
    `{{ alert.title }}`, `{{ alert.text }}`, `{{ alert.service }}` and `{{ alert.severity }}`, which
    is `error` where a person has to do something, and else `warning`."""


class AirflowSpec(Declared):
    """How the operators behave in this environment's Airflow."""

    gcp_conn_id: str = "google_cloud_default"
    deferrable: bool = True
    """False where the triggerer cannot import this package: tasks reschedule themselves."""
    poll_seconds: Annotated[float, Constrained(gt=0)] = 30
    retry_delay_seconds: Annotated[float, Constrained(ge=0)] = 300
    reconcile_seconds: Annotated[float, Constrained(ge=5, le=3600)] = 180
    """So often is each streaming job looked at."""
    alerts: tuple[NotifierSpec, ...] = (NotifierSpec(notifier="nightstream.notifiers.LogNotifier"),)
    """Who is told when a night is late, and what becomes of a streaming job. The default writes an
    ERROR line that begins with NIGHTSTREAM ALERT, for a log-based alert."""
    table_console: str = (
        "https://console.cloud.google.com/bigquery?project={project}"
        "&ws=!1m5!1m4!4m3!1s{project}!2s{dataset}!3s{table}"
    )
    object_console: str = (
        "https://console.cloud.google.com/storage/browser/_details/{bucket}/{name}"
        "?project={project}"
    )
    """`{encoded_name}` is the name with its slashes as %2F."""


class MonitoringSpec(Declared):
    """Cloud Monitoring, which tells how far streaming jobs are behind."""

    endpoint: str | None = None
    """Root URL of its API; null is Google's."""
    fresh_seconds: Annotated[float, Constrained(gt=0, le=3600)] = 480
    """A reading that is older counts as missing; Google's come up to five minutes late."""


class VertexSpec(Declared):
    """Vertex AI, where services may have their models deployed."""

    region: str | None = None
    """Left out: the region of Dataflow."""
    endpoint: str | None = None
    """Root URL of its API; null is Google's of the region."""
    server_image: str | None = None
    """Container image of the prediction server, for services that deploy or register models."""
    service_account: str | None = None
    """Whom deployed models run as; left out, Vertex AI's own agent."""


Days = Annotated[int, Constrained(ge=1, le=10_000)]


class RetentionSpec(Declared):
    """How long things are kept."""

    staging_days: Annotated[int, Constrained(ge=1)] = 30
    """The files of a run, and what launchers left behind, are removed when nobody has used them for
    so long; plans, manifests and reports stay."""
    predictions_days: Days | None = None
    """A partition expires so many days after the day that it is of: BigQuery removes it, at once
    where the days are made fewer. Left out, a table stays as it is, and a new one is as the dataset
    says."""
    dead_letters_days: Days | None = None
    """A letter that has expired cannot be replayed."""
    live_predictions_days: Days | None = None
    live_dead_letters_days: Days | None = None
    replays_days: Days | None = None
    """Of the tables of what came of replayed dead letters."""
    runs_days: Days | None = None
    """Of `scoring_runs`, which all services share."""


class EnvironmentSpec(Declared):
    """Everything that differs between one place of running and another."""

    project: str
    buckets: Buckets
    bigquery: BigQuerySpec
    dataflow: DataflowSpec
    monitoring: MonitoringSpec = MonitoringSpec()
    vertex: VertexSpec = VertexSpec()
    retention: RetentionSpec = RetentionSpec()
    airflow: AirflowSpec = AirflowSpec()
