"""How another model version becomes the champion."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator
from pydantic import Field as Constrained

from beam_jobs.spec.base import Declared, Minutes, Refusal
from beam_jobs.spec.fields import ColumnName
from beam_jobs.spec.sources import Format

Metric = Literal["rmse", "mae", "auc", "log_loss"]


def _object_name(path: str) -> str:
    if "://" in path or path.startswith("/") or path.endswith("/"):
        raise Refusal(
            f"{path!r} is not the name of an object",
            "write one file, as in babyweight/held_out.csv: its bucket is the environment's "
            "buckets.input",
        )
    return path


class HeldOutSpec(Declared):
    """Rows with the truth, which no model has been trained on."""

    path: Annotated[str, AfterValidator(_object_name)]
    """One object in the environment's input bucket, by the contract of the service's input."""
    label: ColumnName
    """Column with the truth: a passthrough field of the input, or a column beside those fields.
    Rows in which it is null are left out."""
    format: Format | None = None
    """Left out: the input's."""


class DeploymentSpec(Declared):
    """What a version is deployed on."""

    machine_type: str = "n1-standard-2"
    min_replicas: Annotated[int, Constrained(ge=1, le=1_000)] = 1
    max_replicas: Annotated[int, Constrained(ge=1, le=1_000)] = 1

    @model_validator(mode="after")
    def _least_before_most(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise Refusal(
                f"min_replicas is {self.min_replicas}, but max_replicas {self.max_replicas}",
                "raise max_replicas",
            )
        return self


class ReleaseSpec(Declared):
    """What a candidate has to prove before it takes the champion's place.

    The champion is the version that the alias `model.version` names.
    """

    held_out: HeldOutSpec
    metric: Metric
    """Of auc, more is better; of the others, less."""
    output: ColumnName | None = None
    """The output that is compared with the label; may be left out where the model has but one."""
    tolerance: Annotated[float, Constrained(ge=0)] = 0.0
    """By how much the candidate may be worse than the champion, in the metric's own unit."""
    evaluation_minutes: Minutes = 30
    """How long the evaluation may take."""
    traffic_percent: Annotated[int, Constrained(ge=1, le=100)] = 10
    """Share of the endpoint's requests that the candidate answers until it is verified."""
    verified_rows: Annotated[int, Constrained(ge=1, le=10_000)] = 100
    """So many held-out rows must be answered by the endpoint as the model answers them here."""
    grace_minutes: Annotated[float, Constrained(ge=0, le=7 * 24 * 60)] = 10
    """How long the old champion stays deployed once it has no traffic any more."""
    deployment: DeploymentSpec = DeploymentSpec()
