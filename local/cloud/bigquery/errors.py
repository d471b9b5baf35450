"""BigQuery's errors, by the reasons and words its clients know."""

from __future__ import annotations

from typing import Any

from local.cloud.http import ApiError


def not_found(kind: str, name: object) -> ApiError:
    return ApiError(404, f"Not found: {kind} {name}", "notFound")


def already_exists(kind: str, name: object) -> ApiError:
    return ApiError(409, f"Already Exists: {kind} {name}", "duplicate")


def invalid_query(message: str) -> ApiError:
    return ApiError(400, message, "invalidQuery")


def streaming_buffer_touched(kind: str, table: object) -> ApiError:
    name = "UPDATE or DELETE" if kind in ("UPDATE", "DELETE") else kind
    return invalid_query(
        f"{name} statement over table {table} would affect rows in the streaming buffer, "
        "which is not supported"
    )


def error_proto(error: ApiError, location: str | None = None) -> dict[str, Any]:
    """The error as it stands in a job's status."""
    proto = {"reason": error.reason, "message": error.message}
    if location:
        proto["location"] = location
    return proto


_CODES = {
    "invalid": 400,
    "invalidQuery": 400,
    "notFound": 404,
    "duplicate": 409,
    "resourceInUse": 400,
    "notImplemented": 501,
    "stopped": 499,
    "backendError": 503,
}


def from_proto(proto: dict[str, Any]) -> ApiError:
    """The HTTP error that asking for a failed job's result gets."""
    reason = proto["reason"]
    return ApiError(_CODES.get(reason, 500), proto["message"], reason)
