"""What a client is shown of a job, of a list of jobs and of its messages: pure selections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import Status
from local.cloud.http import ApiError

_SUMMARY = ("id", "projectId", "location", "name", "type", "createTime", "startTime")
_ENVIRONMENT_SUMMARY = ("userAgent", "version")
_PLACE = re.compile(r"\d{4}-[-\d:.T]+Z_\S+")
_RANK = ("IMPORTANCE_UNKNOWN", "DEBUG", "DETAILED", "BASIC", "WARNING", "ERROR")

T = TypeVar("T")


def job_view(
    job: dict[str, Any],
    status: Status,
    view: str,
    successor: str | None = None,
    tuning: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A job as jobs.get answers it: only JOB_VIEW_ALL shows the whole environment.

    `successor` is the id of the job that took this one's place, `tuning` the
    runtimeUpdatableParams that a client has set.
    """
    shown = {**job, **_state(status), **({"replacedByJobId": successor} if successor else {})}
    if tuning:
        shown["runtimeUpdatableParams"] = tuning
    if view != "JOB_VIEW_ALL":
        environment = job.get("environment", {})
        shown["environment"] = {k: environment[k] for k in _ENVIRONMENT_SUMMARY if k in environment}
    return {**shown, **_metadata(job)}


def summary(job: dict[str, Any], status: Status) -> dict[str, Any]:
    """A job as jobs.list answers it: without labels and environment."""
    return {**{key: job[key] for key in _SUMMARY}, **_state(status), **_metadata(job)}


def listed(status: Status, list_filter: str) -> bool:
    """Whether a list with this filter has a job of this state."""
    terminated = status.state in states.TERMINAL
    return {"ACTIVE": not terminated, "TERMINATED": terminated}.get(list_filter, True)


def page(
    items: Sequence[T], size: str | None, token: str | None, most: int
) -> tuple[Sequence[T], str | None]:
    """One page and the token of the next. `size` 0 or none is the server's. Raises ApiError 400."""
    start = _count(token, "pageToken")
    end = start + (min(_count(size, "pageSize"), most) or most)
    return items[start:end], str(end) if end < len(items) else None


def place(job: dict[str, Any]) -> str:
    """Where a job stands in a list: later ones sort higher."""
    return f"{job['createTime']}_{job['id']}"


def page_of_jobs(
    jobs: Sequence[dict[str, Any]], size: str | None, token: str | None, most: int
) -> tuple[Sequence[dict[str, Any]], str | None]:
    """As `page`, of jobs with the newest first. New jobs and ones that leave the list move no other
    job to another page."""
    if token and not _PLACE.fullmatch(token):
        raise ApiError(400, f"Invalid value at 'pageToken': {token!r}")
    chosen, more = page([j for j in jobs if not token or place(j) < token], size, None, most)
    return chosen, place(chosen[-1]) if more else None


def select_messages(
    messages: list[dict[str, Any]], least: str, start: str | None, end: str | None
) -> list[dict[str, Any]]:
    """Messages of at least an importance, from `start` on and before `end` (RFC 3339 UTC)."""
    rank = _rank(least)
    return [
        message
        for message in messages
        if _rank(message["messageImportance"]) >= rank
        and (not start or _instant(message["time"]) >= _instant(start))
        and (not end or _instant(message["time"]) < _instant(end))
    ]


def select_metrics(metrics: dict[str, Any], start: str | None) -> dict[str, Any]:
    """The metrics that changed since `start`."""
    if not start:
        return metrics
    changed = [m for m in metrics["metrics"] if _instant(m["updateTime"]) >= _instant(start)]
    return {**metrics, "metrics": changed}


def _state(status: Status) -> dict[str, Any]:
    return {"currentState": status.state, "currentStateTime": status.time}


def _metadata(job: dict[str, Any]) -> dict[str, Any]:
    agent = job.get("environment", {}).get("userAgent", {})
    if "version" not in agent:
        return {}
    version = {"version": agent["version"], "versionDisplayName": agent.get("name", "")}
    return {"jobMetadata": {"sdkVersion": {**version, "sdkSupportStatus": "SUPPORTED"}}}


def _rank(importance: str) -> int:
    return _RANK.index(importance.removeprefix("JOB_MESSAGE_"))


def _instant(time: str) -> str:
    """An RFC 3339 UTC time with nine fractional digits, which sorts as text."""
    seconds, _, fraction = time.removesuffix("Z").removesuffix("+00:00").partition(".")
    return f"{seconds}.{fraction:0<9}"


def _count(text: str | None, field: str) -> int:
    if text and not text.isdecimal():
        raise ApiError(400, f"Invalid value at '{field}': {text!r}")
    return int(text or 0)
