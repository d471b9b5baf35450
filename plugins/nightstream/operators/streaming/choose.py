"""The first task of a streaming DAG: which action was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import SkipMixin

from nightstream.forms.streaming import Action, StreamingChoices
from nightstream.operators.base import ServiceOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

FIRST_TASK = {Action.START: "prepare", Action.DRAIN: "drain", Action.CANCEL: "cancel"}
"""Where the branch of each action begins."""


class ChooseOperator(ServiceOperator, SkipMixin):
    """Skips the branches of all other actions."""

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> None:
        action = StreamingChoices.of(context).action
        self.log.info("Action: %s", action)
        self.skip_all_except(context["ti"], FIRST_TASK[action])
