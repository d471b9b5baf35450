"""The audit as a task."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from beam_jobs.runs.layout import RunLayout
from nightstream.runs import AuditedRun
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.night_output import score_without_a_job
from tests.support.turns import DagRun


def test_a_good_night_is_handed_on_with_its_counts(service: Service) -> None:
    run = DagRun()
    work = service.environment.buckets.work
    plan = score_without_a_job(run, service.spec, work, service.objects, rows=200, dead=2)
    audited = AuditedRun.model_validate(service.task("audit", run).finish())
    assert (audited.rows_in, audited.rows_scored, audited.rows_dead) == (200, 198, 2)
    assert audited.manifest_uri == RunLayout(plan.root, plan.run_key).attempt(1).manifest


def test_a_bad_night_fails_for_good_with_everything_that_was_found(service: Service) -> None:
    run = DagRun()
    work = service.environment.buckets.work
    plan = score_without_a_job(run, service.spec, work, service.objects, rows=100, dead=2)
    folder = RunLayout(plan.root, plan.run_key).attempt(1)
    missing = f"{folder.predictions}/0.parquet"
    service.objects.delete(missing)
    with pytest.raises(AirflowFailException) as failure:
        service.task("audit", run).finish()
    message = str(failure.value)
    assert message.startswith("night 2026-01-05 of weights is not published, the audit of gs://")
    assert f"- files: {missing}: the file is missing" in message
    assert "- dead letters: 2 of 100 rows (2.00%) were not scored, at most 1.00% may be" in message
    assert ("audit", "return_value") not in run.xcoms
