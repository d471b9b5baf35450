"""The first task of a replay: which way it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import SkipMixin

from nightstream.forms.replay import ReplayChoices
from nightstream.operators.replay.base import ReplayOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ChooseOperator(ReplayOperator, SkipMixin):
    """Goes on to `resolve` for one night, to `nights` for several, to `send` for requests."""

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> None:
        letters = self.letters(context)
        if ReplayChoices.of(context).source == "streaming":
            follow = "send"
        elif letters.first == letters.last:
            follow = "resolve"
        else:
            follow = "nights"
        self.skip_all_except(context["ti"], follow)
