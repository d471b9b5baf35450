"""How far a night may be from the training data and from the nights before it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Refusal

_Limit = Annotated[float, Constrained(ge=0, allow_inf_nan=False)]


class Limits(Declared):
    """From where on a figure is a matter; a figure that equals its limit is fine."""

    warn: _Limit | None = None
    """Above it people are told. Left out: nobody is."""
    stop: _Limit | None = None
    """Above it the night is not published. Left out: it is."""

    @model_validator(mode="after")
    def _warn_before_stop(self) -> Self:
        if self.warn is not None and self.stop is not None and self.warn > self.stop:
            raise Refusal(
                f"warn is {self.warn:g}, but stop {self.stop:g}: nights would be stopped that "
                "nobody was warned of",
                "let warn be at most stop, or drop warn",
            )
        return self


def _a_share(limits: Limits) -> Limits:
    for name, limit in (("warn", limits.warn), ("stop", limits.stop)):
        if limit is not None and limit > 1:
            raise Refusal(
                f"{name} is {limit:g}, but what it limits is at most 1",
                "write a number from 0 to 1, as in 0.05 for 5 %",
            )
    return limits


ShareLimits = Annotated[Limits, AfterValidator(_a_share)]


class DistanceLimits(Declared):
    """How far a column's distribution may be from another one."""

    psi: Limits | None = None
    """Population stability index; by custom 0.1 is worth a look and 0.25 a great change."""
    js: ShareLimits | None = None
    """Jensen-Shannon distance to the base 2, from 0 to 1."""


class ColumnLimits(Declared):
    """The limits of a column's figures."""

    reference: DistanceLimits = DistanceLimits()
    """Against the training data of the night's model."""
    trailing: DistanceLimits = DistanceLimits()
    """Against the sum of the nights before."""
    null_rate: ShareLimits | None = None
    """Of the share of rows in which the column is null (or a prediction not finite)."""
    unseen_rate: ShareLimits | None = None
    """Of the share of values that the training data does not know: other categories, or numbers
    outside its lowest and highest."""


class LiveDriftSpec(Declared):
    """Drift of the requests that are scored as they arrive; nothing is stopped by it."""

    hours: Annotated[int, Constrained(ge=1, le=7 * 24)] = 6
    """Every hour the last so many hours are compared."""


class DriftSpec(ColumnLimits):
    """How much drift is told of, and how much keeps a night from being published.

    All figures are recorded, whatever is declared here; without limits none of them matters.
    """

    trailing_nights: Annotated[int, Constrained(ge=1, le=60)] = 7
    """A night is compared with those of the last so many nights of the schedule that are
    published."""
    min_rows: Annotated[int, Constrained(ge=1)] = 500
    """Nothing is concluded from fewer values, on either side: chance alone makes such figures
    large."""
    columns: dict[str, ColumnLimits] = {}
    """Other limits for a feature or an output. What is declared takes the place of the service's
    own limits for that figure, warn and stop together; `{}` takes them away."""
    live: LiveDriftSpec = LiveDriftSpec()
