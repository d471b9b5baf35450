"""The API's enums, which clients send by name or by number."""

from __future__ import annotations

from typing import Any

from local.cloud.http import ApiError

JOB_TYPE = ("JOB_TYPE_UNKNOWN", "JOB_TYPE_BATCH", "JOB_TYPE_STREAMING")
JOB_STATE = (
    "JOB_STATE_UNKNOWN",
    "JOB_STATE_STOPPED",
    "JOB_STATE_RUNNING",
    "JOB_STATE_DONE",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_UPDATED",
    "JOB_STATE_DRAINING",
    "JOB_STATE_DRAINED",
    "JOB_STATE_PENDING",
    "JOB_STATE_CANCELLING",
    "JOB_STATE_QUEUED",
    "JOB_STATE_RESOURCE_CLEANING_UP",
    "JOB_STATE_PAUSING",
    "JOB_STATE_PAUSED",
)
JOB_VIEW = ("JOB_VIEW_UNKNOWN", "JOB_VIEW_SUMMARY", "JOB_VIEW_ALL", "JOB_VIEW_DESCRIPTION")
LIST_FILTER = ("UNKNOWN", "ALL", "TERMINATED", "ACTIVE")
MESSAGE_IMPORTANCE = (
    "JOB_MESSAGE_IMPORTANCE_UNKNOWN",
    "JOB_MESSAGE_DEBUG",
    "JOB_MESSAGE_DETAILED",
    "JOB_MESSAGE_WARNING",
    "JOB_MESSAGE_ERROR",
    "JOB_MESSAGE_BASIC",
)
IP_CONFIGURATION = ("WORKER_IP_UNSPECIFIED", "WORKER_IP_PUBLIC", "WORKER_IP_PRIVATE")
AUTOSCALING_ALGORITHM = (
    "AUTOSCALING_ALGORITHM_UNKNOWN",
    "AUTOSCALING_ALGORITHM_NONE",
    "AUTOSCALING_ALGORITHM_BASIC",
)
FLEXRS_GOAL = ("FLEXRS_UNSPECIFIED", "FLEXRS_SPEED_OPTIMIZED", "FLEXRS_COST_OPTIMIZED")


def name_of(value: Any, names: tuple[str, ...], field: str) -> str:
    """The name of an enum value given by name or number; the first for none. Raises ApiError."""
    if value is None:
        return names[0]
    if value in names:
        return str(value)
    number = str(value).removesuffix(".0")
    if number.isdecimal() and int(number) < len(names):
        return names[int(number)]
    raise ApiError(400, f"Invalid value at '{field}': {value!r}")
