"""Readings of Dataflow jobs, from what their processes write into their folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import JobFolder, Status
from local.cloud.monitoring.metrics import DATAFLOW
from local.cloud.monitoring.series import Reading, Value
from local.cloud.monitoring.times import moment, rfc3339

STALE_SECONDS = 10.0
"""Job processes write once a second; what is older than this comes from one that writes no more."""


@dataclass(frozen=True)
class JobView:
    """What is known of a job: its resource, its state, and what its process wrote last."""

    job: dict[str, Any]
    status: Status
    workers: int
    health: dict[str, Any] | None
    metrics: dict[str, Any]


class Jobs:
    """The jobs under one folder, sampled from outside: nothing is changed there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ended: set[str] = set()

    def readings(self, now: float, since: float) -> list[Reading]:
        """Of all jobs that run, and a last time of those that have ended after `since`."""
        views = [view for path in self._folders() if (view := self._view(path, now))]
        views = [view for view in views if _runs(view) or _time(view.status.time) > since]
        views.sort(key=lambda view: str(view.job["createTime"]))
        return [reading for view in views for reading in job_readings(view, now)]

    def _folders(self) -> list[Path]:
        if not self._root.exists():
            return []
        return [path for path in self._root.iterdir() if path.name not in self._ended]

    def _view(self, path: Path, now: float) -> JobView | None:
        """None for a job that has not run yet."""
        folder = JobFolder(path)
        job = folder.job()
        if not job:
            return None
        # Looked up in this order, see states.observed.
        supervised = folder.held()
        written, requested = folder.status(), folder.requested()
        status = states.observed(written, requested, supervised)
        # One that was left behind is settled, on disk, by whoever asks for it by the API.
        status = status or states.settled(written, requested, rfc3339(now))
        if written.state in states.TERMINAL:
            self._ended.add(path.name)
        if not status.started:
            return None
        return JobView(job, status, folder.plan().workers, folder.health(), folder.metrics())


def job_readings(view: JobView, now: float) -> Iterator[Reading]:
    """What can be said of a job now. What its process has not told lately is left out."""
    job = view.job
    resource = {
        "project_id": str(job["projectId"]),
        "job_name": str(job["name"]),
        "region": str(job["location"]),
    }
    started = _time(view.status.started or view.status.time)

    def reading(metric: str, value: Value, **labels: str) -> Reading:
        labels = labels if metric == "is_failed" else {"job_id": str(job["id"]), **labels}
        return Reading(DATAFLOW + metric, resource, labels, value, started)

    elapsed = (now if _runs(view) else _time(view.status.time)) - started
    yield reading("elapsed_time", round(elapsed))
    yield reading("total_vcpu_time", round(elapsed * view.workers))
    yield reading("is_failed", int(view.status.state == states.FAILED))
    if _runs(view):
        yield reading("status", view.status.state.removeprefix("JOB_STATE_"))
        yield reading("current_num_vcpus", view.workers)
        for metric, seconds in _lags(view.health, now).items():
            yield reading(metric, round(seconds))
    if not _runs(view) or _fresh(view.metrics["metricTime"], now):
        for metric, value, labels in _counts(view.metrics["metrics"]):
            yield reading(metric, value, **labels)


def _lags(health: dict[str, Any] | None, now: float) -> dict[str, float]:
    if not health or not _fresh(health["time"], now):
        return {}
    told = {
        "system_lag": health["systemLagSeconds"],
        "data_watermark_age": health["dataWatermarkAgeSeconds"],
    }
    return {metric: seconds for metric, seconds in told.items() if seconds is not None}


def _counts(updates: list[dict[str, Any]]) -> Iterator[tuple[str, Value, dict[str, str]]]:
    """Element counts by collection; user counters and the parts of distributions by step. The
    service shows no gauges."""
    for update in updates:
        name, context = update["name"], update["name"]["context"]
        if "tentative" in context:
            continue
        if name["origin"] == "user":
            step = {"ptransform": str(context["step"])}
            for metric_name, value in _numbers(str(name["name"]), update):
                yield "user_counter", value, {"metric_name": metric_name, **step}
        elif name["name"] == "ElementCount":
            output = str(context["output_user_name"])
            labels = {"pcollection": output}
            yield "element_count", int(update["scalar"]), labels
            step = {"ptransform": output.rpartition("-out")[0]}
            yield "elements_produced_count", int(update["scalar"]), labels | step


def _numbers(name: str, update: dict[str, Any]) -> Iterator[tuple[str, float]]:
    if isinstance(scalar := update.get("scalar"), int | float):
        yield name, float(scalar)
    if parts := update.get("distribution"):
        yield f"{name}_COUNT", float(parts["count"])
        if parts["count"]:
            yield f"{name}_MIN", float(parts["min"])
            yield f"{name}_MAX", float(parts["max"])
            yield f"{name}_MEAN", parts["sum"] / parts["count"]


def _runs(view: JobView) -> bool:
    return view.status.state not in states.TERMINAL


def _fresh(time: str, now: float) -> bool:
    return now - _time(time) <= STALE_SECONDS


def _time(text: str) -> float:
    return moment(text, "time")
