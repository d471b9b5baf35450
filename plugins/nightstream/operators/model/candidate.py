"""Chooses the next champion, and pins it with all that it is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from beam_jobs.runs.release import Action
from nightstream.forms.model import ReleaseChoices
from nightstream.operators.model.base import ReleaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.plan import InputObject, ModelPin
    from beam_jobs.runs.release import ReleasePlan


class CandidateOperator(ReleaseOperator):
    """Writes the release's plan. Skips the DAG run where the version is the champion already."""

    ui_color = "#e8f1fb"

    def turn(self, context: Context) -> dict[str, Any]:
        from beam_jobs.prediction.versions import ModelError

        choices = ReleaseChoices.of(context)
        try:
            plan = self._plan(choices)
        except ModelError as error:
            raise AirflowFailException(str(error)) from error
        self.write_plan(plan.uri, plan)
        champion = plan.champion.version if plan.champion else None
        self.log.info("%s: from %s to %s", plan.action, champion, plan.candidate.version)
        return {
            "plan_uri": plan.uri,
            "action": str(plan.action),
            "candidate": plan.candidate.version,
            "champion": champion,
        }

    def _plan(self, choices: ReleaseChoices) -> ReleasePlan:
        from beam_jobs.runs.code import code_version
        from beam_jobs.runs.release import ReleasePlan

        champion = self._champion()
        candidate = self._chosen(choices, champion)
        return ReleasePlan(
            action=choices.action,
            spec=self.spec,
            candidate=self._sound(candidate),
            champion=self._pin(champion) if champion else None,
            held_out=self._held_out() if choices.action is Action.RELEASE else None,
            code_version=code_version(),
            root=self.root,
        )

    def _champion(self) -> str | None:
        from beam_jobs.prediction.versions import ModelError, has_version
        from nightstream.models import models_root

        alias = self.spec.model.version
        if has_version(models_root(self.spec, self.environment), alias, self.objects):
            raise ModelError(
                f"the spec names the version {alias} itself, which a release cannot move. Remedy: "
                "set model.version to an alias, as in champion"
            )
        return self.champion_alias.read().version

    def _chosen(self, choices: ReleaseChoices, champion: str | None) -> str:
        from beam_jobs.prediction.versions import versions_of
        from nightstream.models import models_root
        from nightstream.releasing.candidates import (
            Candidate,
            Nothing,
            Unclear,
            choose_release,
            choose_roll_back,
        )

        champions, asked = self.champions.read()[0], choices.model_version
        if choices.action is Action.RELEASE:
            versions = versions_of(models_root(self.spec, self.environment), self.objects)
            choice = choose_release(asked, versions, champion, champions)
        else:
            choice = choose_roll_back(asked, champion, champions)
        match choice:
            case Candidate(version):
                return version
            case Nothing(reason):
                raise AirflowSkipException(reason)
            case Unclear(reason):
                raise AirflowFailException(reason)

    def _pin(self, version: str) -> ModelPin:
        from nightstream.models import pin_model

        return pin_model(self.spec, self.environment, version, self.objects, night=False)

    def _sound(self, version: str) -> ModelPin:
        """The version, whose manifest, signature, libraries and artifact are as they should be."""
        from beam_jobs.prediction.libraries import check_libraries
        from beam_jobs.prediction.versions import open_version, read_artifact

        pin = self._pin(version)
        manifest = open_version(pin.uri, self.objects)
        check_libraries(manifest)
        read_artifact(pin.uri, manifest, pin.sha256, self.objects)
        return pin

    def _held_out(self) -> InputObject:
        from beam_jobs.runs.plan import InputObject

        assert self.spec.model.release is not None
        path = self.spec.model.release.held_out.path
        uri = f"gs://{self.environment.buckets.input}/{path}"
        found = self.objects.stat(uri)
        if found is None:
            raise AirflowFailException(
                f"{uri} does not exist. Remedy: upload the held-out rows, or correct "
                "model.release.held_out.path in the spec"
            )
        return InputObject(uri=uri, generation=found.generation, size=found.size)
