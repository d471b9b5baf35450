"""Scores the held-out rows with candidate and champion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beam_jobs.runs.release import Action
from nightstream.operators.model.base import ReleaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.release import Evaluation, ReleasePlan


class EvaluateOperator(ReleaseOperator):
    """Returns the figures; those of an earlier try of the same release stand. A roll-back is not
    evaluated."""

    ui_color = "#e3f4e6"

    def turn(self, context: Context) -> dict[str, Any] | None:
        plan = self.planned(context)
        if plan.action is Action.ROLL_BACK:
            self.log.info("A roll-back is not evaluated")
            return None
        if self.objects.stat(plan.evaluation_uri) is None:
            minutes = plan.release.evaluation_minutes
            self.run_evaluation(["evaluate", f"--plan={plan.uri}"], minutes)
        return self._evaluation(plan).model_dump(mode="json")

    def _evaluation(self, plan: ReleasePlan) -> Evaluation:
        from beam_jobs.runs.release import Evaluation

        return Evaluation.model_validate_json(self.objects.read(plan.evaluation_uri))
