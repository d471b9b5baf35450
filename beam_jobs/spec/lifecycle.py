"""How a service's streaming job is kept, upgraded and judged. None of it changes what the job does,
so none of it is part of its revision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared

Seconds = Annotated[float, Constrained(gt=0, le=31 * 24 * 60 * 60)]
Share = Annotated[float, Constrained(ge=0, le=1)]


class UpgradeSpec(Declared):
    """How the job gets from one revision to the next."""

    strategy: Literal["update", "drain_and_replace", "parallel"] = "update"
    """`update`: in place, and by drain and replacement where the service refuses that. `parallel`:
    the new job runs beside the old one, on a subscription of its own, until it is stable."""
    transform_names: dict[str, str] = {}
    """Steps that were renamed: the old name of each, and its new one."""
    generation: int = 1
    """Raise it with a change that must not be made in place."""
    model: Literal["update", "refresh", "hold"] = "update"
    """What a moved `champion` alias does: a new revision; the same within the running job, for
    models of one signature that run in the worker; or nothing."""


class DrainSpec(Declared):
    """What happens when a drain does not come to its end."""

    after_deadline: Literal["wait", "cancel_and_seek"] = "wait"
    """`wait` alerts; `cancel_and_seek` cancels, and lets the next job read again what was under
    way. The deadline is the environment's."""
    seek_margin_seconds: Seconds = 60
    """Earlier than the oldest request under way."""


class HealthSpec(Declared):
    """When a job is ill, judged over a window."""

    window_seconds: Seconds = 300
    stabilisation_seconds: Seconds = 900
    """So long has a new revision to be of good health before it is stable."""
    least_requests: Annotated[int, Constrained(ge=1)] = 50
    """Fewer say nothing of the share of dead letters."""
    most_dead_share: Share = 0.05
    most_errors: Annotated[int, Constrained(ge=0)] = 20
    """Error messages of the job in a window."""
    most_lag_seconds: Seconds = 600
    """Age of the watermark while requests wait."""


class RestartSpec(Declared):
    """How often a job that ended is started again before a person is asked."""

    most: Annotated[int, Constrained(ge=0, le=100)] = 5
    """Since the revision was last of good health for the time of stabilisation."""
    first_wait_seconds: Seconds = 30
    longest_wait_seconds: Seconds = 1_800
    """Each wait is twice the one before."""


class LifecycleSpec(Declared):
    """What is declared of the job beyond what it does."""

    state: Literal["running", "suspended"] = "running"
    upgrade: UpgradeSpec = UpgradeSpec()
    drain: DrainSpec = DrainSpec()
    health: HealthSpec = HealthSpec()
    restarts: RestartSpec = RestartSpec()
