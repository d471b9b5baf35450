"""Checks a scored run before anything of it is published."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.links import ReportLink, object_url
from nightstream.operators.base import ServiceOperator, resolved_run, scored_run
from nightstream.runs import AuditedRun

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.manifest import RunManifest
    from beam_jobs.runs.plan import RunPlan
    from nightstream.drift.figures import NightDrift
    from nightstream.reports.night import Audited
    from nightstream.runs import ResolvedRun, ScoredRun


class AuditOperator(ServiceOperator):
    """Returns an AuditedRun; fails, without retries, with every finding there is.

    So does it where the night drifts further than the spec's `drift` allows, unless the DAG run
    allows it. The figures, and a report for people, are written beside the manifest either way.
    """

    ui_color = "#fff4d6"
    operator_extra_links = (ReportLink(),)

    def execute(self, context: Context) -> dict[str, Any]:
        from beam_jobs.runs.manifest import RunManifest
        from beam_jobs.runs.plan import RunPlan
        from nightstream.auditing.report import report
        from nightstream.reports.night import Audited

        run, scored = resolved_run(context), scored_run(context)
        plan = RunPlan.model_validate_json(self.objects.read(run.plan_uri))
        manifest = RunManifest.model_validate_json(self.objects.read(scored.manifest_uri))
        self.log.info("The night as the job counted it:\n%s", report(manifest))
        self.require_files(scored.manifest_uri)
        findings = self._findings(run, plan, manifest, scored)
        drift = None if findings else self._drift(plan, manifest, scored)
        audited = Audited(
            plan=plan,
            manifest=manifest,
            findings=findings,
            drift=drift,
            drift_allowed=run.drift_allowed,
            started_at=context["dag_run"].start_date,
        )
        self._report(audited, scored)
        if drift is None:
            raise AirflowFailException(
                f"night {run.score_date} of {run.service} is not published, the audit of "
                f"{scored.manifest_uri} found:\n" + "\n".join(f"- {found}" for found in findings)
            )
        self._gate(context, run, drift, scored)
        passed = AuditedRun(
            run_key=manifest.run_key,
            attempt=manifest.attempt,
            manifest_uri=scored.manifest_uri,
            rows_in=manifest.rows_in,
            rows_scored=manifest.rows_scored,
            rows_dead=manifest.rows_dead,
        )
        self.log.info("Nothing was found against it: %s", passed)
        return passed.model_dump(mode="json")

    def _report(self, audited: Audited, scored: ScoredRun) -> None:
        """Writes the page that people look at. A night is not worse for having none."""
        try:
            from nightstream.reports.gathering import Reporter

            reporter = Reporter(self.objects, self.environment.buckets.work, self.spec)
            uri = reporter.write(audited, scored.manifest_uri, datetime.now(UTC))
        except Exception:
            self.log.exception("The night's report could not be written")
            return
        self.link = object_url(self.environment, uri)
        self.log.info("Report: %s", uri)

    def _findings(
        self, run: ResolvedRun, plan: RunPlan, manifest: RunManifest, scored: ScoredRun
    ) -> tuple[str, ...]:
        """Everything that is wrong with the night, in words."""
        from nightstream.auditing.checks import audit
        from nightstream.auditing.footers import footer_rows

        footers = footer_rows((*manifest.predictions, *manifest.dead_letters), self.objects)
        findings = audit(plan, manifest, scored.attempt, footers, run.dead_letter_limit)
        return tuple(map(str, findings))

    def _drift(self, plan: RunPlan, manifest: RunManifest, scored: ScoredRun) -> NightDrift:
        """How far the night is from training data and earlier nights; kept beside the manifest."""
        from beam_jobs.prediction.versions import ModelError, open_version
        from nightstream.drift.figures import drift_uri
        from nightstream.drift.night import night_drift
        from nightstream.drift.report import table
        from nightstream.drift.trailing import PublishedNights
        from nightstream.nights import nights_before

        try:
            reference = open_version(plan.model.uri, self.objects).reference
        except ModelError as error:
            raise AirflowFailException(f"the night's drift cannot be measured: {error}") from error
        nights = nights_before(self.spec.schedule, plan.score_date, self.spec.drift.trailing_nights)
        published = PublishedNights(self.objects, self.environment.buckets.work, self.spec.service)
        drift = night_drift(
            self.spec, plan.score_date, manifest, reference, published.profiles(nights)
        )
        uri = drift_uri(scored.manifest_uri)
        self.objects.put(uri, drift.model_dump_json(indent=1).encode())
        self.log.info("Drift: %s (%s)\n%s", drift.verdict, uri, table(drift))
        return drift

    def _gate(
        self, context: Context, run: ResolvedRun, drift: NightDrift, scored: ScoredRun
    ) -> None:
        """Tells of figures above their limits; fails where one of them stops the night."""
        from nightstream.drift.figures import Verdict
        from nightstream.drift.report import stopped, summary

        if drift.verdict is Verdict.STOP and run.drift_allowed is None:
            message = stopped(drift, scored.manifest_uri)
            self._alert(context, "DRIFT STOPPED A NIGHT", message, "error")
            raise AirflowFailException(message)
        if drift.verdict in (Verdict.WARN, Verdict.STOP):
            text = f"night {drift.score_date} of {drift.service} drifts: {summary(drift)}"
            if run.drift_allowed is not None:
                text += f". It is published by override: {run.drift_allowed}"
            self.log.warning("%s", text)
            self._alert(context, "DRIFT", text, "warning")

    def _alert(
        self, context: Context, title: str, text: str, severity: Literal["warning", "error"]
    ) -> None:
        from nightstream.alerts import Alert, send

        alert = Alert(title, text, self.spec.service, severity)
        send(alert, self.environment.airflow.alerts, context)
