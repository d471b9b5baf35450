"""Pins what a night scores: the model version, the exact input objects, the run's identity."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from nightstream.forms.batch import NightChoices
from nightstream.operators.base import ServiceOperator, night_of
from nightstream.runs import ResolvedRun

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.plan import InputObject, ModelPin, RunPlan

NIGHTS_LOOKED_BACK = 3
"""How many earlier nights are checked for files that came too late."""


class ResolveOperator(ServiceOperator):
    """Writes the run's plan and returns a ResolvedRun."""

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> dict[str, Any]:
        from beam_jobs.runs.layout import RunLayout

        choices = NightChoices.of(context)
        score_date = night_of(context, self.spec)
        plan = self._plan(
            score_date,
            self._inputs(score_date, choices.source, context["ti"]),
            self.pinned_model(choices.model_version),
        )
        plan_uri = RunLayout(plan.root, plan.run_key).plan
        self.write_plan(plan_uri, plan)
        self.log.info("Night %s is run %s, planned in %s", score_date, plan.run_key, plan_uri)
        limit = choices.dead_letter_limit
        resolved = ResolvedRun(
            service=plan.service,
            score_date=score_date,
            run_key=plan.run_key,
            plan_uri=plan_uri,
            root=plan.root,
            inputs=len(plan.inputs),
            model_version=plan.model.version,
            model_kind=plan.model.kind,
            late_inputs=self._late_inputs(score_date),
            dry_run=choices.dry_run,
            force=choices.force,
            dead_letter_limit=self.spec.audit.max_dead_ratio if limit is None else limit,
            drift_allowed=choices.drift_allowed,
        )
        return resolved.model_dump(mode="json")

    def _plan(self, score_date: date, inputs: tuple[InputObject, ...], model: ModelPin) -> RunPlan:
        from beam_jobs.runs.layout import runs_root
        from beam_jobs.runs.plan import build_plan
        from nightstream.nights import scheduled_interval

        return build_plan(
            spec=self.spec,
            score_date=score_date,
            # The schedule's interval, not the DAG run's: the same night has the same identity
            # whether it was scheduled, backfilled or triggered by hand.
            interval=scheduled_interval(self.spec.schedule, score_date),
            inputs=inputs,
            model=model,
            root=runs_root(self.environment.buckets.work, self.spec.service),
        )

    def _inputs(self, score_date: date, source: str | None, ti: Any) -> tuple[InputObject, ...]:
        from beam_jobs.runs.plan import InputObject
        from nightstream.inputs.completeness import night_files
        from nightstream.inputs.folder import night_folder, see

        if ti.xcom_pull(task_ids="await_input") == 0:
            self.log.info("The night is empty: await_input found no files")
            return ()
        uri = night_folder(self.spec, self.environment, score_date, source)
        files = night_files(self.spec.input, see(uri, self.spec.input, self.objects))
        if not files:
            raise AirflowException(
                f"{uri} was complete and holds no files now. "
                "Remedy: deliver the files again, then clear the task await_input"
            )
        pinned = (InputObject(uri=f.uri, generation=f.generation, size=f.size) for f in files)
        return tuple(pinned)

    def _late_inputs(self, score_date: date) -> tuple[str, ...]:
        from nightstream.inputs.completeness import ManifestError, night_files
        from nightstream.inputs.folder import night_folder, see
        from nightstream.inputs.late import late_inputs
        from nightstream.nights import nights_before

        late: list[str] = []
        for night in nights_before(self.spec.schedule, score_date, NIGHTS_LOOKED_BACK):
            read = self._read_by(night)
            if read is None:
                continue
            uri = night_folder(self.spec, self.environment, night)
            try:
                files = night_files(self.spec.input, see(uri, self.spec.input, self.objects))
            except ManifestError as error:
                # An earlier night's trouble is no reason to keep this one waiting.
                self.log.warning("Night %s is not looked at for late input: %s", night, error)
                continue
            missed = late_inputs(read, files)
            late.extend(missed)
            if missed:
                self.log.warning(
                    "LATE INPUT: night %s is over without %d files that are there now, as "
                    "%s. Remedy: run the night again with score_date %s",
                    night,
                    len(missed),
                    missed[0],
                    night,
                )
        return tuple(late)

    def _read_by(self, night: date) -> tuple[InputObject, ...] | None:
        """What an earlier night that is published or skipped has read; None for any other."""
        from beam_jobs.runs.layout import RunLayout, runs_root
        from beam_jobs.runs.plan import PlannedInputs
        from nightstream.inputs.late import skipped_uri
        from nightstream.publishing.ledgers import LedgerFile, ledger_uri

        work = self.environment.buckets.work
        uri = ledger_uri(work, self.spec.service, night)
        published = LedgerFile(self.objects, uri).read()[0].published
        if published is None:
            skipped = self.objects.stat(skipped_uri(work, self.spec.service, night))
            return () if skipped else None
        plan = RunLayout(runs_root(work, self.spec.service), published.run_key).plan
        return PlannedInputs.model_validate_json(self.objects.read(plan)).inputs
