"""Takes the candidate back when a step of its release has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule

from nightstream.operators.model.operating import OperatingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class WithdrawOperator(OperatingOperator):
    """Gives the champion all of the traffic again and undeploys the candidate. A candidate that the
    alias names already is the champion, and left alone."""

    ui_color = "#fbe8e8"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trigger_rule=TriggerRule.ONE_FAILED, **kwargs)

    def turn(self, context: Context) -> None:
        from nightstream.releasing.rollout import Done, Shift, Undeploy, next_withdrawal

        if context["ti"].xcom_pull(task_ids="candidate") is None:
            self.log.info("There is no candidate: nothing was begun")
            return
        plan = self.planned(context)
        if self.champion_alias.read().version == plan.candidate.version:
            self.log.warning("The alias names %s: left as it is", plan.candidate.version)
            return
        self.await_operations(self.endpoint, plan, context)
        seen = self.endpoint.see()
        match next_withdrawal(seen, plan.candidate, plan.champion):
            case Done(reason):
                self.log.warning("WITHDRAWN: %s, and the alias was not moved", reason)
            case Shift() as shift:
                self.log.info("Traffic: from %s to %s", dict(seen.traffic), dict(shift.traffic))
                self.endpoint.shift(seen, shift)
                self.look_again()
            case Undeploy() as undeploy:
                self.log.info("Undeploying %s", undeploy.deployed_id)
                operation = self.endpoint.undeploy(seen, undeploy)
                self.await_operation(operation, plan, context)
