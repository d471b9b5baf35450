"""Moves the alias: from here on the candidate is the champion."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from nightstream.operators.model.base import ReleaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class PromoteOperator(ReleaseOperator):
    """Moves it only if it still names the champion that the candidate was compared with, and writes
    down who was champion before. The next night and the streaming job follow by themselves."""

    ui_color = "#e3f4e6"

    def turn(self, context: Context) -> str:
        from beam_jobs.objects import PreconditionError
        from nightstream.releasing.promotion import Move, Moved, Overtaken, next_promotion

        plan = self.planned(context)
        seen = self.champion_alias.read()
        match next_promotion(plan, seen.version):
            case Overtaken(reason):
                raise AirflowFailException(reason)
            case Moved():
                self.log.info("The alias names %s already", plan.candidate.version)
            case Move():
                try:
                    self.champion_alias.move(plan.candidate, seen)
                except PreconditionError as error:
                    raise AirflowException(f"{error}: looking again") from error
                self.log.info(
                    "The alias names %s now, not %s", plan.candidate.version, seen.version
                )
        self.champions.add(plan, datetime.now(UTC))
        return plan.candidate.version
