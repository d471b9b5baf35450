"""How a service's streaming job is kept, upgraded and judged. None of it changes what the job does,
so none of it is part of its revision."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field as Constrained
from pydantic import model_validator

from beam_jobs.spec.base import Declared, Refusal

Seconds = Annotated[float, Constrained(gt=0, le=31 * 24 * 60 * 60)]
Share = Annotated[float, Constrained(ge=0, le=1)]


class UpgradeSpec(Declared):
    """How the job gets from one revision to the next."""

    strategy: Literal["update", "drain_and_replace", "parallel"] = "update"
    """`update`: in place, and by drain and replacement where the service refuses that. `parallel`:
    the new job runs beside the old one, on a subscription of its own, until it is stable."""
    transform_names: dict[str, str] = {}
    """Steps that were renamed: the old name of each, and its new one; of `update` only."""
    generation: Annotated[int, Constrained(ge=1)] = 1
    """Raise it with a change that must not be made in place."""
    model: Literal["update", "refresh", "hold"] = "update"
    """What a moved alias of the model does: `update` is a new revision, `refresh` the same within
    the running job, whose workers load the model without a restart, `hold` nothing: the running
    model stays until something else changes."""

    @model_validator(mode="after")
    def _names_are_of_an_update(self) -> Self:
        if self.transform_names and self.strategy != "update":
            raise Refusal(
                f"transform_names, but the strategy is {self.strategy}: no job takes over the "
                "steps of another",
                "drop transform_names, or set strategy: update",
            )
        for old, new in self.transform_names.items():
            if not old or old == new:
                raise Refusal(
                    f"transform_names renames {old!r} to {new!r}",
                    "write the old name of the step, a colon, and its new name",
                )
        renamed = [new for new in self.transform_names.values() if new]
        twice = [new for new in renamed if renamed.count(new) > 1]
        if twice:
            raise Refusal(
                f"transform_names renames two steps to {twice[0]!r}",
                "give each step a name of its own",
            )
        return self


class DrainSpec(Declared):
    """What happens when a drain does not come to its end by the environment's deadline."""

    after_deadline: Literal["wait", "cancel_and_seek"] = "wait"
    """`wait` alerts; `cancel_and_seek` cancels, and lets the next job read again what was under
    way: requests may then be answered twice, none is lost."""
    seek_margin_seconds: Seconds = 60
    """How much earlier than the oldest request under way the next job begins to read."""


class HealthSpec(Declared):
    """When a job is ill, judged over a window. No traffic is not ill health."""

    window_seconds: Seconds = 300
    """In production not under 300: Cloud Monitoring is minutes late."""
    stabilisation_seconds: Seconds = 900
    """So long has a new revision to be of good health before it is stable."""
    start_seconds: Seconds = 600
    """So long after its start no job is called stuck: Dataflow says RUNNING before its workers have
    started, and what an ended job had under way comes again once its leases are over."""
    least_requests: Annotated[int, Constrained(ge=1)] = 50
    """Fewer in a window say nothing of the share of dead letters."""
    most_dead_share: Share = 0.05
    """Share of the requests of a window that may become dead letters."""
    most_errors: Annotated[int, Constrained(ge=0)] = 20
    """Error messages of the job in a window."""
    most_lag_seconds: Seconds = 600
    """Age of the watermark while requests wait."""

    @model_validator(mode="after")
    def _stable_is_longer_than_a_window(self) -> Self:
        if self.stabilisation_seconds < self.window_seconds:
            raise Refusal(
                f"stabilisation_seconds {self.stabilisation_seconds:g} is shorter than "
                f"window_seconds {self.window_seconds:g}: a revision would be stable before a "
                "window of it was seen",
                "lengthen stabilisation_seconds, or shorten window_seconds",
            )
        return self


class RestartSpec(Declared):
    """How often a job that ended is started again before a person is asked."""

    most: Annotated[int, Constrained(ge=0, le=100)] = 5
    """Since the revision was last of good health for the time of stabilisation."""
    first_wait_seconds: Seconds = 30
    longest_wait_seconds: Seconds = 1_800
    """Each wait is twice the one before, up to this."""

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
        if self.longest_wait_seconds < self.first_wait_seconds:
            raise Refusal(
                f"longest_wait_seconds {self.longest_wait_seconds:g} is shorter than "
                f"first_wait_seconds {self.first_wait_seconds:g}",
                "lengthen longest_wait_seconds, or shorten first_wait_seconds",
            )
        return self


class LifecycleSpec(Declared):
    """What is declared of the job beyond what it does."""

    state: Literal["running", "suspended"] = "running"
    """`suspended`: drained, and not started again; requests wait on the subscription."""
    upgrade: UpgradeSpec = UpgradeSpec()
    drain: DrainSpec = DrainSpec()
    health: HealthSpec = HealthSpec()
    restarts: RestartSpec = RestartSpec()
