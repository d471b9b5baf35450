"""Checks a scored run before anything of it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.operators.base import ServiceOperator, resolved_run, scored_run
from nightstream.runs import AuditedRun

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class AuditOperator(ServiceOperator):
    """Returns an AuditedRun; fails, without retries, with every finding there is."""

    ui_color = "#fff4d6"

    def execute(self, context: Context) -> dict[str, Any]:
        from beam_jobs.runs.manifest import RunManifest
        from beam_jobs.runs.plan import RunPlan
        from nightstream.auditing.checks import audit
        from nightstream.auditing.footers import footer_rows
        from nightstream.auditing.report import report

        run, scored = resolved_run(context), scored_run(context)
        plan = RunPlan.model_validate_json(self.objects.read(run.plan_uri))
        manifest = RunManifest.model_validate_json(self.objects.read(scored.manifest_uri))
        self.log.info("The night as the job counted it:\n%s", report(manifest))
        footers = footer_rows((*manifest.predictions, *manifest.dead_letters), self.objects)
        findings = audit(plan, manifest, scored.attempt, footers, run.dead_letter_limit)
        if findings:
            raise AirflowFailException(
                f"night {run.score_date} of {run.service} is not published, the audit of "
                f"{scored.manifest_uri} found:\n" + "\n".join(f"- {found}" for found in findings)
            )
        audited = AuditedRun(
            run_key=manifest.run_key,
            attempt=manifest.attempt,
            manifest_uri=scored.manifest_uri,
            rows_in=manifest.rows_in,
            rows_scored=manifest.rows_scored,
            rows_dead=manifest.rows_dead,
        )
        self.log.info("Nothing was found against it: %s", audited)
        return audited.model_dump(mode="json")
