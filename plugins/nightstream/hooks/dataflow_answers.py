"""What the answers of Dataflow's REST API say. Pure: JSON in, types out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from nightstream.jobs.job import DescribedJob, Job, ListedJob

_PREFIX = "JOB_STATE_"
_NAMESPACE = "nightstream"


def job_of(resource: Mapping[str, Any]) -> Job:
    """A job as jobs.get tells it."""
    return Job(
        id=resource["id"],
        name=resource["name"],
        state=_state(resource),
        labels=resource.get("labels", {}),
    )


def listed_of(resource: Mapping[str, Any]) -> ListedJob:
    """A job as jobs.list tells it."""
    return ListedJob(resource["id"], _state(resource), _created_at(resource))


def described_of(resource: Mapping[str, Any]) -> DescribedJob:
    """A job as jobs.get tells it with JOB_VIEW_ALL."""
    pools = resource.get("environment", {}).get("workerPools", [])
    tuned = resource.get("runtimeUpdatableParams", {})
    bounds = (pool.get("autoscalingSettings", {}).get("maxNumWorkers") for pool in pools)
    return DescribedJob(
        job=job_of(resource),
        created_at=_created_at(resource),
        replaces=resource.get("replaceJobId") or None,
        least_workers=_most([tuned.get("minNumWorkers")])
        or _most(pool.get("numWorkers") for pool in pools),
        most_workers=_most([tuned.get("maxNumWorkers")]) or _most(bounds),
    )


def counters_of(metrics: Mapping[str, Any]) -> Mapping[str, int]:
    """Nightstream's own counters, summed over the job's steps, and the latest of its gauges.

    Each is told twice, as committed and as attempted ("tentative") value: the first counts.
    """
    values: Counter[str] = Counter()
    for update in metrics.get("metrics", []):
        name = update["name"]
        context = name.get("context", {})
        if context.get("namespace") != _NAMESPACE or "tentative" in context:
            continue
        if "scalar" in update:
            values[name["name"]] += int(update["scalar"])
        elif "gauge" in update:
            values[name["name"]] = max(values[name["name"]], int(update["gauge"]["value"]))
    return values


def _state(resource: Mapping[str, Any]) -> str:
    return str(resource.get("currentState", "UNKNOWN")).removeprefix(_PREFIX)


def _created_at(resource: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(resource["createTime"])


def _most(numbers: Iterable[Any]) -> int | None:
    """The greatest of the numbers, which may come as floats; None where there is none above 0."""
    return max((int(number or 0) for number in numbers), default=0) or None
