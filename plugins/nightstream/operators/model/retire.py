"""Undeploys the old champion, once it is not needed any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nightstream.operators.model.operating import OperatingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.release import ReleasePlan


class RetireOperator(OperatingOperator):
    """Waits for the time of grace, in which a roll-back finds the old champion still deployed."""

    ui_color = "#e8f1fb"

    def turn(self, context: Context) -> None:
        from nightstream.releasing.rollout import Done, Undeploy, next_retirement

        plan = self.planned(context)
        self._await_grace(plan)
        self.await_operations(self.endpoint, plan, context)
        seen = self.endpoint.see()
        match next_retirement(seen, plan.candidate, plan.champion):
            case Done(reason):
                self.log.info(reason)
            case Undeploy() as undeploy:
                self.log.info("Undeploying %s", undeploy.deployed_id)
                operation = self.endpoint.undeploy(seen, undeploy)
                self.await_operation(operation, plan, context)

    def _await_grace(self, plan: ReleasePlan) -> None:
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        crowned = self.champions.read()[0].last_of(plan)
        if crowned is None:
            return
        until = crowned.at + timedelta(minutes=plan.release.grace_minutes)
        if datetime.now(UTC) < until:
            self.log.info("The old champion stays deployed until %s", until)
            self.wait(DateTimeTrigger(until))
