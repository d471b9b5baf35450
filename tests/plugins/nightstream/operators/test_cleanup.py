"""The clean-up, on the real local cloud, 31 days later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from beam_jobs.runs.layout import RunLayout
from nightstream.cleaning.decision import Sweep
from nightstream.cleaning.inventory import staged_runs
from nightstream.cleaning.observing import Observer
from nightstream.cleaning.sweeping import Sweeper
from nightstream.forms.cleanup import cleanup_form
from nightstream.hooks.dataflow import DataflowHook
from nightstream.operators.cleanup import launches as of_launches
from nightstream.operators.cleanup import runs as of_runs
from nightstream.operators.cleanup.launches import CleanLaunchesOperator
from nightstream.operators.cleanup.runs import CleanRunsOperator
from nightstream.publishing.ledger import Intent, Ledger, Night, Publisher
from nightstream.publishing.ledgers import LedgerFile, ledger_uri
from nightstream.runs import ResolvedRun
from nightstream.scoring.claims import Claim, Claims, claims_folder
from nightstream.scoring.decision import Launch, Reuse, decide
from nightstream.scoring.files import attempts_of, mark_used
from nightstream.scoring.jobs import job_labels, job_name
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.night_output import NIGHT, score_without_a_job
from tests.support.turns import DagRun, Task

LATER = datetime.now(UTC) + timedelta(days=31)


class Later(datetime):
    """The clock of somebody who comes after a month."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        assert tz is UTC
        return LATER


@pytest.fixture(autouse=True)
def a_month_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (of_runs, of_launches):
        monkeypatch.setattr(module, "datetime", Later)


@pytest.fixture
def night(service: Service) -> DagRun:
    """A DAG run whose night is scored."""
    run = DagRun()
    work = service.environment.buckets.work
    score_without_a_job(run, service.spec, work, service.objects, rows=5, dead=1)
    return run


def resolved(run: DagRun) -> ResolvedRun:
    return ResolvedRun.model_validate(run.xcoms["resolve", "return_value"])


def layout(run: DagRun) -> RunLayout:
    return RunLayout(resolved(run).root, resolved(run).run_key)


def left(service: Service, folder: str) -> list[str]:
    return [item.uri.removeprefix(f"{folder}/") for item in service.objects.list(f"{folder}/")]


def clean(service: Service, run: DagRun | None = None) -> int:
    """Runs the task of the service; how many files it removed."""
    task = CleanRunsOperator(task_id="clean", spec=service.spec, environment=service.environment)
    removed: int = Task(task, run or DagRun("cleanup"), form=cleanup_form()).finish()
    return removed


def observer(service: Service) -> Observer:
    dataflow, work = DataflowHook(service.environment), service.environment.buckets.work
    return Observer(service.objects, dataflow, work, timedelta(days=30), LATER)


def looked(service: Service) -> Sweep:
    return observer(service).service(service.spec.service, lambda _: True)


RECORDS = ["1/manifest.json", "1/removed.json", "plan.json"]


def test_an_old_run_keeps_its_records_and_loses_its_files(service: Service, night: DagRun) -> None:
    assert clean(service) == 2
    assert left(service, layout(night).folder) == RECORDS
    assert clean(service) == 0
    assert left(service, layout(night).folder) == RECORDS


def test_a_dry_run_removes_nothing(service: Service, night: DagRun) -> None:
    before = left(service, layout(night).folder)
    assert clean(service, DagRun("cleanup", params={"dry_run": True})) == 0
    assert left(service, layout(night).folder) == before


def test_what_was_removed_is_scored_anew_and_never_published(
    service: Service, night: DagRun
) -> None:
    look = service.task("score", night).operator._look
    assert decide(look(resolved(night))) == Reuse(1)
    clean(service)
    assert decide(look(resolved(night))) == Launch(2)
    with pytest.raises(AirflowFailException, match=r"are removed\. Remedy: clear the task `score`"):
        service.task("audit", night).finish()


def test_a_claimed_run_stays_until_its_dag_run_is_over(service: Service, night: DagRun) -> None:
    work = service.environment.buckets.work
    folder = claims_folder(work, "weights", NIGHT)
    claim = Claim(dag_id="weights_batch", run_id="slow", attempt=1)
    Claims(service.objects, folder, resolved(night).run_key).put(claim)
    assert clean(service) == 0
    assert clean(service, DagRun("cleanup", states={"slow": "failed"})) == 2
    assert left(service, folder) == []


def test_a_run_that_is_being_published_stays(service: Service, night: DagRun) -> None:
    run_key, now = resolved(night).run_key, datetime.now(UTC)
    publisher = Publisher(
        dag_id="weights_batch", run_id="one", try_number=1, run_key=run_key, manifest_uri="gs://m"
    )
    told = Night(
        service="weights", score_date=NIGHT, rows_scored=4, rows_dead=1, model_version="v1"
    )
    ledger = Ledger().intending(Intent.begin(publisher, told, 1, now))
    uri = ledger_uri(service.environment.buckets.work, "weights", NIGHT)
    LedgerFile(service.objects, uri).swap(ledger, 0)
    [verdict] = replace(observer(service), now=now).service("weights", lambda _: False).verdicts
    assert verdict.why.endswith("its publication is under way")


@pytest.mark.usefixtures("stuck")
def test_a_job_that_nobody_waits_for_is_cancelled_and_a_claimed_one_is_not(
    service: Service, night: DagRun
) -> None:
    run = resolved(night)
    job_id = service.stuck_job(job_name("weights", run.run_key), job_labels(run, 1))
    folder = claims_folder(service.environment.buckets.work, "weights", NIGHT)
    claim = Claim(dag_id="weights_batch", run_id="one", job_id=job_id, attempt=1)
    Claims(service.objects, folder, run.run_key).put(claim)
    assert clean(service) == 0
    assert service.dataflow.get(job_id).state in ("PENDING", "RUNNING")

    # Its DAG run was resolved anew, and waits for another run's job.
    Claims(service.objects, folder, "another").put(claim.model_copy(update={"job_id": None}))
    clean(service)
    assert service.dataflow.get(job_id).state in ("CANCELLING", "CANCELLED")


def test_who_comes_in_the_middle_of_a_sweep_finds_the_files(
    service: Service, night: DagRun
) -> None:
    [verdict] = looked(service).verdicts
    assert verdict.goes
    mark_used(layout(night), service.objects)
    Sweeper(service.objects).remove_runs([verdict.bundle])
    assert attempts_of(layout(night), service.objects) == ({1}, {1})
    assert "1/predictions/0.parquet" in left(service, layout(night).folder)


def test_a_sweep_that_was_cut_off_is_finished_by_the_next_one(
    service: Service, night: DagRun
) -> None:
    bundles = [verdict.bundle for verdict in looked(service).verdicts]
    Sweeper(service.objects, most=1).remove_runs(bundles)
    assert attempts_of(layout(night), service.objects) == ({1}, set())
    assert [len(run.files) for run in staged(service, night)] == [1]
    assert clean(service) == 1
    assert staged(service, night) == []


def staged(service: Service, night: DagRun) -> list[Any]:
    root = layout(night).root
    return staged_runs(root, service.objects.list(f"{root}/"))


@pytest.mark.usefixtures("stuck")
def test_what_launchers_left_goes_unless_their_job_goes_on(service: Service) -> None:
    root = f"gs://{service.environment.buckets.work}/dataflow/staging"
    name = f"weights-live-{service.environment.buckets.work}"
    service.stuck_job(name, {})
    for job in (name, "weights-batch-1"):
        service.objects.put(f"{root}/{job}.1767600000.123456/pipeline.pb", b"pipeline")
    task = CleanLaunchesOperator(task_id="clean", environment=service.environment)
    assert Task(task, DagRun("cleanup"), form=cleanup_form()).finish() == 1
    assert left(service, root) == [f"{name}.1767600000.123456/pipeline.pb"]
