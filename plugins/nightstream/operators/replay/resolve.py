"""Pins what a replay does: the letters it tries, the publication it revises, the model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

from nightstream.forms.replay import ReplayChoices
from nightstream.operators.replay.base import ReplayOperator
from nightstream.runs import ResolvedRun
from nightstream.tables import dead_letters_table, predictions_table, table_id

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from google.cloud.bigquery import Client

    from beam_jobs.runs.plan import ReplayOf, RowsFile, RunPlan
    from nightstream.publishing.ledgers import LedgerFile
    from nightstream.replaying.choice import LetterChoice
    from nightstream.replaying.standing import Standing
    from nightstream.replaying.trying import Sorting

_DRIFT = "the night stands already; a replay adds the rows that it repairs"


class ResolveReplayOperator(ReplayOperator):
    """Writes the plan of the night's revision and returns a ResolvedRun, as a night's `resolve`.

    Is skipped where there is nothing to try.
    """

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> dict[str, Any]:
        from nightstream.replaying.standing import ChangingError, NotStandingError

        try:
            return self._resolve(context).model_dump(mode="json")
        except NotStandingError as error:
            raise AirflowFailException(str(error)) from error
        except ChangingError as error:
            raise AirflowException(f"{error}; tried again") from error

    def _resolve(self, context: Context) -> ResolvedRun:
        from beam_jobs.runs.layout import RunLayout
        from nightstream.publishing.ledgers import LedgerFile, ledger_uri
        from nightstream.replaying.standing import Standing

        choices, letters = ReplayChoices.of(context), self.letters(context)
        work, service = self.environment.buckets.work, self.spec.service
        file = LedgerFile(self.objects, ledger_uri(work, service, letters.first))
        standing = Standing.of(letters.first, file)
        bare = self._bare_plan(standing, choices.model_version)
        replay = self._replay(bare, standing, file, letters, choices.force)
        plan = bare.model_copy(update={"replay": replay})
        plan_uri = RunLayout(plan.root, plan.run_key).plan
        self.write_plan(plan_uri, plan)
        self.log.info("The revision of night %s is run %s", letters.first, plan.run_key)
        night = standing.publication.intent.night
        share = night.rows_dead / max(night.rows_dead + night.rows_scored, 1)
        return ResolvedRun(
            service=service,
            score_date=plan.score_date,
            run_key=plan.run_key,
            plan_uri=plan_uri,
            root=plan.root,
            inputs=len(plan.inputs),
            model_version=plan.model.version,
            model_kind=plan.model.kind,
            dry_run=choices.dry_run,
            force=choices.force,
            # What was published with so many dead rows may be published with fewer.
            dead_letter_limit=max(share, self.spec.audit.max_dead_ratio),
            drift_allowed=_DRIFT,
        )

    def _bare_plan(self, standing: Standing, model_version: str | None) -> RunPlan:
        """The plan of the night as it would be scored now."""
        from beam_jobs.runs.layout import runs_root
        from beam_jobs.runs.plan import build_plan
        from nightstream.nights import scheduled_interval

        return build_plan(
            spec=self.spec,
            score_date=standing.night,
            interval=scheduled_interval(self.spec.schedule, standing.night),
            inputs=[source.object for source in standing.manifest.sources],
            model=self.pinned_model(model_version),
            root=runs_root(self.environment.buckets.work, self.spec.service),
        )

    def _replay(
        self,
        bare: RunPlan,
        standing: Standing,
        file: LedgerFile,
        letters: LetterChoice,
        force: bool,
    ) -> ReplayOf:
        from beam_jobs.runs.plan import ReplayOf
        from nightstream.replaying.standing import is_same_work, planned_format, replayed_sources
        from nightstream.replaying.trying import Sorting, payload_format

        again = functools.cache(lambda key: is_same_work(key, bare, self.objects))
        sorting = Sorting() if force else Sorting(again)
        client = self.client()
        tried, left = self._write_letters(client, standing, letters, sorting)
        predictions = self._predictions(client, standing)
        standing.require_unchanged(file)
        written = planned_format(standing, bare.root, self.objects).of_payloads
        input_ = self.spec.input
        return ReplayOf(
            manifest_uri=standing.manifest_uri,
            tried=tried,
            tried_by_code=dict(sorting.tried),
            left=left,
            predictions=predictions,
            format=payload_format(written, input_.format),
            sources=replayed_sources(standing.manifest, sorting.sources, input_, self.objects),
        )

    def _write_letters(
        self, client: Client, standing: Standing, letters: LetterChoice, sorting: Sorting
    ) -> tuple[RowsFile, RowsFile]:
        from nightstream.replaying.choice import letters_query, parameters
        from nightstream.replaying.letters import write_letters
        from nightstream.replaying.trying import explained

        table = table_id(self.environment, dead_letters_table(self.spec.service))
        query = letters_query(table, letters)
        rows = self.selected(client, query, parameters(letters, standing.night))
        tried, left = write_letters(rows, sorting, f"{standing.folder}/letters", self.objects)
        standing.require_rows(tried.rows + left.rows)
        self.log.info("%s", explained(sorting))
        if not tried.rows:
            raise AirflowSkipException(f"night {standing.night} has nothing to be tried again")
        return tried, left

    def _predictions(self, client: Client, standing: Standing) -> tuple[RowsFile, ...]:
        """Empty where the files that were published are still there."""
        from nightstream.replaying.exports import are_kept, exported

        if are_kept(standing.manifest, self.objects):
            return ()
        table = table_id(self.environment, predictions_table(self.spec.service))
        self.log.info("The published files are gone: exporting what stands in %s", table)
        return exported(client, table, standing, self.objects)
