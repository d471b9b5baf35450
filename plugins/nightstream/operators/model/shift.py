"""Gives the candidate all of the traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.operators.model.operating import OperatingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ShiftOperator(OperatingOperator):
    ui_color = "#e3f4e6"

    def turn(self, context: Context) -> None:
        from nightstream.releasing.rollout import Done, Missing, Shift, next_shift

        plan = self.planned(context)
        seen = self.endpoint.see()
        match next_shift(seen, plan.candidate):
            case Done(reason):
                self.log.info(reason)
            case Missing(reason):
                raise AirflowFailException(f"{reason}. Remedy: clear the task deploy")
            case Shift() as shift:
                self.log.info("Traffic: from %s to %s", dict(seen.traffic), dict(shift.traffic))
                self.endpoint.shift(seen, shift)
