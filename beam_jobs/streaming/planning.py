"""The plan of a streaming job, and whether it can run here."""

from __future__ import annotations

from pydantic import ValidationError

from beam_jobs.objects import open_objects
from beam_jobs.prediction.pinned import pinned_model
from beam_jobs.runs.code import require_code
from beam_jobs.runs.streaming import StreamingPlan


class PlanError(Exception):
    """What was read is no plan of a streaming job."""


def read_plan(uri: str) -> StreamingPlan:
    """The plan at that URI.

    Raises FileNotFoundError, PlanError, CodeVersionError where it was made by other code than
    runs here, and ModelError where its model is gone or is another one by now.
    """
    try:
        plan = StreamingPlan.model_validate_json(open_objects(uri).read(uri))
    except ValidationError as error:
        raise PlanError(
            f"{uri} is no plan of a streaming job of this release: {error}. "
            "Remedy: make the plan anew with the release that runs it"
        ) from error
    if plan.spec.streaming is None:
        raise PlanError(f"{uri}: the spec of {plan.service} has no section streaming")
    require_code(plan.code_version)
    pinned_model(plan.model, plan.spec)
    return plan
