"""The update of a running streaming job by a new one (replaceJobId): whether it is allowed.

Whether its steps are compatible with the state of the old ones is looked at by the new job's
process (worker.streaming.update); how it takes over, once it is ready to run, is in `streaming`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.cloud.dataflow import states
from local.cloud.http import ApiError


def check_replacement(
    old: dict[str, Any] | None,
    old_state: str,
    new: dict[str, Any],
    active: Iterable[dict[str, Any]],
) -> None:
    """Whether one job may replace another, None for one that is not there, beside those that are
    active. Raises ApiError."""
    wanted = new["replaceJobId"]
    if old is None:
        raise ApiError(
            404,
            f"The workflow could not be created. Causes: the job to be replaced, {wanted}, could "
            "not be found.",
            "notFound",
        )
    if "JOB_TYPE_BATCH" in (old["type"], new["type"]):
        raise _refusal("only streaming jobs can be updated")
    if old["name"] != new["name"]:
        raise _refusal(f"the job {wanted} is named {old['name']}, not {new['name']}")
    if old_state != states.RUNNING:
        state = old_state.removeprefix("JOB_STATE_")
        raise _refusal(f"the job {wanted} is not running (it is {state})")
    if any(job.get("replaceJobId") == wanted for job in active):
        raise _refusal(f"the job {wanted} is being updated already")


def _refusal(reason: str) -> ApiError:
    message = f"The workflow could not be created. Causes: the update is not possible: {reason}."
    return ApiError(400, message, "failedPrecondition", "FAILED_PRECONDITION")
