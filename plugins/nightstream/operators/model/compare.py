"""Refuses a candidate that is not good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.operators.model.base import ReleaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class CompareOperator(ReleaseOperator):
    """Returns the reason for which the candidate is accepted; fails with that for which it is
    refused, and is not tried again. A roll-back goes on in any case."""

    ui_color = "#fdf3d8"

    def turn(self, context: Context) -> str:
        from beam_jobs.runs.release import Evaluation
        from nightstream.releasing.comparison import compare

        plan = self.planned(context)
        figures = context["ti"].xcom_pull(task_ids="evaluate")
        if figures is None:
            return f"{plan.candidate.version} was asked for"
        verdict = compare(Evaluation.model_validate(figures), plan.release)
        if not verdict.accepted:
            raise AirflowFailException(f"REFUSED: {verdict.reason}")
        self.log.info("Accepted: %s", verdict.reason)
        return verdict.reason
