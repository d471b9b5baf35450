"""The metrics that are sampled here, described as the service describes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DATAFLOW = "dataflow.googleapis.com/job/"
PUBSUB = "pubsub.googleapis.com/subscription/"

_JOB = {"job_id": "The ID of the current run of this pipeline."}
_PCOLLECTION = {"pcollection": "The pipeline PCollection to which the elements were added."}
_PTRANSFORM = {"ptransform": "The pipeline PTransform reporting this value."}
_NAME = {"metric_name": "The name provided by the user for this counter."}


@dataclass(frozen=True)
class Resource:
    """A monitored resource type and its labels, with their descriptions."""

    type: str
    display_name: str
    labels: dict[str, str]


@dataclass(frozen=True)
class Metric:
    """A metric type. `delay` is for how many seconds the service says that a new point may not be
    visible; `labels` are the metric's own, with their descriptions."""

    type: str
    display_name: str
    description: str
    unit: str
    resource: Resource
    labels: dict[str, str] = field(default_factory=dict)
    kind: str = "GAUGE"
    value_type: str = "INT64"
    delay: int = 240
    stage: str = "GA"


JOB = Resource(
    "dataflow_job",
    "Dataflow Job",
    {
        "project_id": "The identifier of the GCP project associated with this resource.",
        "job_name": "The name of the Dataflow job.",
        "region": "The region in which the Dataflow job runs.",
    },
)
SUBSCRIPTION = Resource(
    "pubsub_subscription",
    "Cloud Pub/Sub Subscription",
    {
        "project_id": "The identifier of the GCP project associated with this resource.",
        "subscription_id": "The identifier of the subscription.",
    },
)
RESOURCES = {resource.type: resource for resource in (JOB, SUBSCRIPTION)}

_ALL = (
    Metric(
        DATAFLOW + "system_lag",
        "System lag",
        "The current maximum duration that an item of data has been processing or awaiting "
        "processing, in seconds.",
        "s",
        JOB,
        _JOB,
    ),
    Metric(
        DATAFLOW + "data_watermark_age",
        "Data watermark lag",
        "The age (time since event timestamp) up to which all data has been processed by the "
        "pipeline.",
        "s",
        JOB,
        _JOB,
    ),
    Metric(
        DATAFLOW + "elapsed_time",
        "Elapsed time",
        "Duration that the current run of this pipeline has been in the Running state so far, in "
        "seconds.",
        "s",
        JOB,
        _JOB,
    ),
    Metric(
        DATAFLOW + "current_num_vcpus",
        "Current number of vCPUs in use",
        "The number of vCPUs currently being used by this Dataflow job.",
        "1",
        JOB,
        _JOB,
    ),
    Metric(
        DATAFLOW + "total_vcpu_time",
        "Total vCPU time",
        "The total vCPU seconds used by this Dataflow job.",
        "s",
        JOB,
        _JOB,
    ),
    Metric(
        DATAFLOW + "status",
        "Status",
        "Current state of this pipeline. Not reported while the pipeline is not running.",
        "",
        JOB,
        _JOB,
        value_type="STRING",
        delay=60,
    ),
    Metric(
        DATAFLOW + "is_failed",
        "Failed",
        "A value of 1 indicates that the job has failed.",
        "1",
        JOB,
        delay=60,
    ),
    Metric(
        DATAFLOW + "element_count",
        "Element count",
        "Number of elements added to the pcollection so far.",
        "1",
        JOB,
        _JOB | _PCOLLECTION,
    ),
    Metric(
        DATAFLOW + "elements_produced_count",
        "Elements Produced",
        "The number of elements produced by each PTransform.",
        "1",
        JOB,
        _JOB | _PCOLLECTION | _PTRANSFORM,
        kind="DELTA",
        stage="ALPHA",
    ),
    Metric(
        DATAFLOW + "user_counter",
        "User Counter",
        "A user-defined counter metric.",
        "1",
        JOB,
        _JOB | _NAME | _PTRANSFORM,
        value_type="DOUBLE",
    ),
    Metric(
        PUBSUB + "num_undelivered_messages",
        "Unacked messages",
        "Number of unacknowledged messages (a.k.a. backlog messages) in a subscription.",
        "1",
        SUBSCRIPTION,
        delay=120,
    ),
    Metric(
        PUBSUB + "oldest_unacked_message_age",
        "Oldest unacked message age",
        "Age (in seconds) of the oldest unacknowledged message (a.k.a. backlog message) in a "
        "subscription.",
        "s",
        SUBSCRIPTION,
        delay=120,
    ),
)
METRICS = {metric.type: metric for metric in _ALL}


def metric_descriptor(metric: Metric, project: str, interval: float) -> dict[str, Any]:
    """The metric as a MetricDescriptor; it is sampled every `interval` seconds."""
    return {
        "name": f"projects/{project}/metricDescriptors/{metric.type}",
        "type": metric.type,
        "displayName": metric.display_name,
        "description": metric.description,
        "labels": _labels(metric.labels),
        "metricKind": metric.kind,
        "valueType": metric.value_type,
        "unit": metric.unit,
        "launchStage": metric.stage,
        "metadata": {
            "launchStage": metric.stage,
            "samplePeriod": f"{interval:g}s",
            "ingestDelay": f"{metric.delay}s",
        },
        "monitoredResourceTypes": [metric.resource.type],
    }


def resource_descriptor(resource: Resource, project: str) -> dict[str, Any]:
    """The resource type as a MonitoredResourceDescriptor."""
    return {
        "name": f"projects/{project}/monitoredResourceDescriptors/{resource.type}",
        "type": resource.type,
        "displayName": resource.display_name,
        "labels": _labels(resource.labels),
        "launchStage": "GA",
    }


def _labels(labels: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"key": key, "valueType": "STRING", "description": text} for key, text in labels.items()
    ]
