"""Registers the candidate in the Model Registry, with its evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.operators.model.operating import OperatingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.release import ReleasePlan


class RegisterOperator(OperatingOperator):
    """Returns the version's name in the registry; one that is there already is taken as it is."""

    ui_color = "#e8f1fb"

    def turn(self, context: Context) -> str:
        plan = self.planned(context)
        self.await_operations(self.registry, plan, context)
        version = self.registry.version(plan.candidate)
        if version is None:
            operation = self.registry.upload(plan.candidate, self._server_image())
            self.await_operation(operation, plan, context)
        self._import_evaluation(plan)
        self.log.info("%s is %s", plan.candidate.uri, version.name)
        return version.name

    def _import_evaluation(self, plan: ReleasePlan) -> None:
        from beam_jobs.runs.release import Evaluation

        version = self.registry.version(plan.candidate)
        if plan.held_out is None or version is None:
            return
        evaluation = Evaluation.model_validate_json(self.objects.read(plan.evaluation_uri))
        self.registry.import_evaluation(version, evaluation)

    def _server_image(self) -> str:
        image = self.environment.vertex.server_image
        if image is None:
            raise AirflowFailException(
                "the environment names no image of the prediction server. Remedy: build it "
                "(deploy/prediction-server) and set vertex.server_image"
            )
        return image
