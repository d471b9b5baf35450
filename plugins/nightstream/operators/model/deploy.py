"""Deploys the candidate beside the champion, with a share of the traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beam_jobs.runs.release import Action
from nightstream.operators.model.operating import OperatingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.release import ReleasePlan


class DeployOperator(OperatingOperator):
    """Returns the deployed model and its share, which it gets when no night is being scored. A
    roll-back gets all of the traffic at once."""

    ui_color = "#e3f4e6"

    def turn(self, context: Context) -> dict[str, Any]:
        from nightstream.releasing.rollout import Deploy, Done, Shift, next_deployment

        plan = self.planned(context)
        self.await_operations(self.endpoint, plan, context)
        seen = self.endpoint.see()
        match next_deployment(seen, plan.candidate, _share(plan)):
            case Done(reason):
                self.log.info(reason)
                id_ = seen.serving(plan.candidate)
                assert id_ is not None
                return {"deployed_model_id": id_, "percent": seen.share(id_)}
            case Shift() as shift:
                self._await_nights(plan, context)
                self.log.info("Traffic: %s", dict(shift.traffic))
                self.endpoint.shift(seen, shift)
                return self.look_again()
            case Deploy() as deploy:
                self.log.info("Deploying; traffic, 0 being the new model: %s", dict(deploy.traffic))
                registered = context["ti"].xcom_pull(task_ids="register")
                operation = self.endpoint.deploy(seen, plan, registered, deploy)
                return self.await_operation(operation, plan, context)

    def _await_nights(self, plan: ReleasePlan, context: Context) -> None:
        """A night that is being scored is answered by the champion alone; a roll-back does not wait
        for it, and it fails."""
        from nightstream.operators.claiming import waits
        from nightstream.scoring.claims import claims_of

        if plan.action is Action.ROLL_BACK:
            return
        work, state_of = self.environment.buckets.work, context["ti"].get_dagrun_state
        for claim in (s.claim for s in claims_of(self.objects, work, self.spec.service)):
            if waits(claim, state_of):
                self.log.info("%s, run %s, scores a night: waiting", claim.dag_id, claim.run_id)
                self.look_again()


def _share(plan: ReleasePlan) -> int:
    return 100 if plan.action is Action.ROLL_BACK else plan.release.traffic_percent
