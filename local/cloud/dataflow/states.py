"""The states of a job and the moves between them: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

from local.cloud.dataflow.folder import Status

QUEUED = "JOB_STATE_QUEUED"
PENDING = "JOB_STATE_PENDING"
RUNNING = "JOB_STATE_RUNNING"
DONE = "JOB_STATE_DONE"
FAILED = "JOB_STATE_FAILED"
CANCELLING = "JOB_STATE_CANCELLING"
CANCELLED = "JOB_STATE_CANCELLED"
DRAINING = "JOB_STATE_DRAINING"
DRAINED = "JOB_STATE_DRAINED"
UPDATED = "JOB_STATE_UPDATED"

UNDER_WAY = {CANCELLED: CANCELLING, DRAINED: DRAINING}
"""What a job shows until it has reached the state that a client asked for."""

TERMINAL = frozenset({DONE, FAILED, CANCELLED, DRAINED, UPDATED})


@dataclass(frozen=True)
class Refusal(Exception):
    """A request that is not allowed in the job's state; `precondition` tells it from a bad one."""

    reason: str
    precondition: bool = True


def observed(status: Status, requested: Status | None, supervised: bool) -> Status | None:
    """The state to show, or None where the job was left behind and has to be settled.

    `supervised` must have been looked up before `status`: a supervisor writes its last status
    before it ends.
    """
    if status.state in TERMINAL:
        return status
    if not supervised:
        return None
    if requested:
        return Status(UNDER_WAY[requested.state], requested.time, status.started)
    return status


def as_of(moment: str, status: Status, requested: Status | None, created: str) -> Status | None:
    """The state that a job, now in `status`, was in at a moment; None before it was created."""
    passed = [Status(PENDING, created), status]
    if status.started:
        passed.append(Status(RUNNING, status.started, status.started))
    if requested:
        passed.append(Status(UNDER_WAY[requested.state], requested.time, status.started))
    reached = [each for each in passed if each.time <= moment]
    return max(reached, key=lambda each: each.time, default=None)


def settled(status: Status, requested: Status | None, time: str) -> Status:
    """The last state of a job whose supervisor ended without writing one."""
    return Status(requested.state if requested else FAILED, time, status.started)


def to_request(state: str, requested: str) -> str | None:
    """The state to make a job reach when a client may ask for one; None where it is on its way."""
    wanted = CANCELLED if requested == CANCELLED else DRAINED
    return None if state == UNDER_WAY[wanted] else wanted


def check_request(state: str, requested: str, job_type: str) -> None:
    """Whether a client may ask for this state now. Raises Refusal."""
    if requested not in (CANCELLED, DRAINED, DRAINING):
        raise Refusal(f"the state {requested} cannot be requested", precondition=False)
    verb = "cancel" if requested == CANCELLED else "drain"
    if state in TERMINAL:
        raise Refusal(
            f"Operation {verb} not allowed: the job has already terminated in state "
            f"{state.removeprefix('JOB_STATE_')}."
        )
    if verb == "drain" and state == QUEUED:
        raise Refusal("Operation drain not allowed: the job is queued.")
    if verb == "drain" and job_type != "JOB_TYPE_STREAMING":
        raise Refusal("Operation drain not allowed: only streaming jobs can be drained.")
    if verb == "drain" and state == CANCELLING:
        raise Refusal("Operation drain not allowed: the job is being cancelled.")


def check_tuning(state: str, job_type: str) -> None:
    """Whether a client may change the bounds of autoscaling now. Raises Refusal."""
    if state != RUNNING:
        name = state.removeprefix("JOB_STATE_")
        raise Refusal(f"only a running job can be updated; this one is {name}.")
    if job_type != "JOB_TYPE_STREAMING":
        raise Refusal("only streaming jobs can be updated in flight.")
