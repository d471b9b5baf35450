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
    requests: int | None = None
    """That the job took in."""
    dead: int | None = None
    """Of these, those that became dead letters."""
    rows_out: int | None = None
    errors: int | None = None
    """Error messages of the job."""
    backlog: int | None = None
    """Requests that nobody has acknowledged, by now."""
    oldest_unacked_seconds: float | None = None
    watermark_age_seconds: float | None = None


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
    if health.requests is None and health.rows_out is None:
        return Diagnosis(Verdict.UNKNOWN, ("its counters could not be read",))
    if not health.requests and not health.backlog:
        return Diagnosis(Verdict.GOOD, ("no requests came, and none wait",))
    return Diagnosis(Verdict.GOOD, (f"{health.requests:,} requests, all limits kept",))


def _broken(health: Health, limits: HealthSpec) -> Iterator[str]:
    if health.requests and health.dead is not None and health.requests >= limits.least_requests:
        share = health.dead / health.requests
        if share > limits.most_dead_share:
            yield (
                f"{health.dead:,} of {health.requests:,} requests became dead letters "
                f"({share:.1%}; at most {limits.most_dead_share:.1%})"
            )
    if health.errors is not None and health.errors > limits.most_errors:
        yield f"{health.errors} error messages (at most {limits.most_errors})"
    yield from _stuck(health, limits)


def _stuck(health: Health, limits: HealthSpec) -> Iterator[str]:
    """Requests wait, and nothing moves. Where none wait, nothing has to."""
    waits = bool(health.backlog) or (health.oldest_unacked_seconds or 0) > 0
    if not waits or health.seconds < limits.window_seconds:
        return
    age = health.watermark_age_seconds
    if age is not None and age > limits.most_lag_seconds:
        most = f"at most {limits.most_lag_seconds:.0f} s"
        yield f"requests wait, and its watermark is {age:.0f} s old ({most})"
    elif health.rows_out == 0:
        yield f"requests wait, and no row came out for {health.seconds:.0f} s"
