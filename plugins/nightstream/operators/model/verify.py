"""Sends held-out rows through the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beam_jobs.runs.release import Action
from nightstream.operators.model.base import ReleaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_MINUTES = 15.0


class VerifyOperator(ReleaseOperator):
    """Fails, and is not tried again, where the deployed candidate answers otherwise than the same
    version does here. A roll-back is not verified: what it goes back to was."""

    ui_color = "#fdf3d8"

    def turn(self, context: Context) -> None:
        plan = self.planned(context)
        if plan.action is Action.ROLL_BACK:
            self.log.info("A roll-back is not verified")
            return
        deployed = context["ti"].xcom_pull(task_ids="deploy")
        arguments = [
            "verify",
            f"--plan={plan.uri}",
            f"--deployed-model={deployed['deployed_model_id']}",
            f"--percent={deployed['percent']}",
        ]
        self.run_evaluation(arguments, _MINUTES)
