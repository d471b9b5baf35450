"""Whether data flows through a job. A missing reading is unknown, never zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from beam_jobs.spec.lifecycle import HealthSpec


@dataclass(frozen=True)
class Health:
    """What was read of one job over the last window; None is unknown."""

    seconds: float
    """How much of the window the readings cover."""
    running_seconds: float
    """How long the job has run as the revision that it serves."""
    requests: int | None = None
    """That the job took in."""
    dead: int | None = None
    """Of these, those that became dead letters."""
    rows_out: int | None = None
    models_refused: int | None = None
    """Models that it was to change over to and could not load."""
    errors: int | None = None
    """Error messages of the job."""
    backlog: int | None = None
    """Requests that nobody has acknowledged, by now."""
    backlog_before: int | None = None
    """The same, when it was first known in the window."""
    oldest_unacked_seconds: float | None = None
    lag_seconds: float | None = None
    """Age of the watermark; where there is none, time since the last event that was scored."""
    lag_before: float | None = None
    """The same, when it was first known in the window."""


class Verdict(Enum):
    """What readings say of a job."""

    GOOD = "good"
    ILL = "ill"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Diagnosis:
    """A verdict with its reasons, each a sentence."""

    verdict: Verdict
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join(self.reasons)


def diagnose(health: Health | None, limits: HealthSpec) -> Diagnosis:
    """Ill as soon as one limit is clearly broken; good when nothing is and something is known."""
    if health is None:
        return Diagnosis(Verdict.UNKNOWN, ("nothing could be read of it",))
    broken = tuple(_broken(health, limits))
    if broken:
        return Diagnosis(Verdict.ILL, broken)
    if health.requests is None or (health.requests and health.dead is None):
        return Diagnosis(Verdict.UNKNOWN, ("its counters could not be read",))
    if health.seconds <= 0:
        return Diagnosis(Verdict.UNKNOWN, ("it has been read once only",))
    if not health.requests:
        return _at_rest(health, limits)
    return Diagnosis(Verdict.GOOD, (f"{health.requests:,} requests, all limits kept",))


def _at_rest(health: Health, limits: HealthSpec) -> Diagnosis:
    """No requests came: that is good, but where some wait for a job that was just started."""
    if health.backlog and health.running_seconds < limits.start_seconds:
        return Diagnosis(Verdict.UNKNOWN, ("requests wait, and it was just started",))
    waiting = " and none wait" if health.backlog == 0 else ""
    return Diagnosis(Verdict.GOOD, (f"no requests came{waiting}",))


def _broken(health: Health, limits: HealthSpec) -> Iterator[str]:
    if health.requests and health.dead is not None and health.requests >= limits.least_requests:
        share = health.dead / health.requests
        if share > limits.most_dead_share:
            yield (
                f"{health.dead:,} of {health.requests:,} requests became dead letters "
                f"({share:.1%}; at most {limits.most_dead_share:.1%})"
            )
    if health.models_refused:
        yield "it could not load the model that it should change over to"
    if health.errors is not None and health.errors > limits.most_errors:
        yield f"{health.errors} error messages (at most {limits.most_errors})"
    yield from _stuck(health, limits)


def _stuck(health: Health, limits: HealthSpec) -> Iterator[str]:
    """Requests wait, and nothing moves. Where none wait, nothing has to; what has just come has not
    waited; a job that catches up moves; and to one that was just started they may yet come."""
    if health.seconds < limits.window_seconds or health.running_seconds < limits.start_seconds:
        return
    waited = _waited_seconds(health)
    moved = any((health.requests, health.dead, health.rows_out))
    if not moved and waited < limits.window_seconds:
        return
    lag, before = health.lag_seconds, health.lag_before
    grows = lag is not None and before is not None and lag >= before
    if lag is not None and lag > limits.most_lag_seconds and grows and waited > 0:
        most = f"at most {limits.most_lag_seconds:.0f} s"
        yield f"requests wait, and it is {lag:.0f} s behind them ({most}) and catches up on nothing"
    elif health.rows_out == 0 and not moved:
        yield f"requests wait, and no row came out for {health.seconds:.0f} s"


def _waited_seconds(health: Health) -> float:
    """How long a request has waited for certain."""
    if health.oldest_unacked_seconds is not None:
        return health.oldest_unacked_seconds
    return health.seconds if health.backlog and health.backlog_before else 0
