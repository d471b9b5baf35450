"""What goes and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from beam_jobs.objects import ObjectInfo
from nightstream.cleaning.decision import Sweep, judge, latest, needed_runs, unclaimed
from nightstream.cleaning.inventory import Bundle
from nightstream.cleaning.report import report
from nightstream.jobs.job import Job
from nightstream.scoring.claims import Claim, StandingClaim

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AGE = timedelta(days=30)


def a_run(days_ago: float, run_key: str = "k1") -> Bundle:
    used = NOW - timedelta(days=days_ago)
    folder = f"gs://scoring-work/weights/runs/{run_key}"
    file = ObjectInfo(f"{folder}/1/predictions/0.parquet", 1, 3 * 1024 * 1024, used)
    return Bundle(run_key, folder, used, (file,))


def a_job(run_key: str | None = "k1", state: str = "RUNNING") -> Job:
    labels = {"service": "weights", "score_date": "2026-01-05"}
    return Job(
        "id-1", "weights-batch-k1", state, labels | ({"run_key": run_key} if run_key else {})
    )


def a_claim(run_key: str = "k1", run_id: str = "one", hour: int = 1) -> StandingClaim:
    uri = f"gs://scoring-work/weights/claims/2026-01-05/{run_key}/{run_id}.json"
    claim = Claim(dag_id="weights_batch", run_id=run_id)
    return StandingClaim(uri, run_key, datetime(2026, 2, 1, hour, tzinfo=UTC), claim)


@pytest.mark.parametrize(("days", "goes"), [(0, False), (30, False), (30.01, True), (400, True)])
def test_a_run_goes_when_nobody_has_used_it_for_longer_than_the_age(
    days: float, goes: bool
) -> None:
    [verdict] = judge([a_run(days)], {}, NOW, AGE)
    assert verdict.goes is goes
    assert "30 days" in verdict.why


@pytest.mark.parametrize(
    ("needed", "why"),
    [
        (needed_runs([a_job()], [], []), "job id-1 is active"),
        (needed_runs([], [a_claim()], []), "weights_batch, run one, waits for it"),
        (needed_runs([], [], ["k1"]), "its publication is under way"),
    ],
)
def test_a_run_that_somebody_works_with_stays_however_old_it_is(
    needed: dict[str, str], why: str
) -> None:
    mine, other = judge([a_run(400), a_run(400, "k2")], needed, NOW, AGE)
    assert not mine.goes
    assert mine.why.endswith(why)
    assert other.goes


def test_a_job_is_unclaimed_when_nobody_waits_for_its_run() -> None:
    assert unclaimed([a_job()], []) == (a_job(),)
    assert unclaimed([a_job()], [a_claim()]) == ()
    assert unclaimed([a_job()], [a_claim("k2")]) == (a_job(),)


@pytest.mark.parametrize("job", [a_job(run_key=None), a_job(state="CANCELLING")])
def test_jobs_of_no_run_and_jobs_that_are_stopping_are_nobody_s_to_cancel(job: Job) -> None:
    assert unclaimed([job], []) == ()


def test_a_dag_run_that_was_resolved_anew_waits_for_its_former_job_no_longer() -> None:
    claims = [a_claim("k2", hour=3), a_claim("k1", hour=2), a_claim("k1", "two")]
    assert latest(claims) == [a_claim("k1", "two"), a_claim("k2", hour=3)]
    assert unclaimed([a_job("k1")], latest(claims[:2])) == (a_job("k1"),)


def test_the_report_names_what_goes_and_why_what_stays_and_why() -> None:
    verdicts = judge([a_run(40), a_run(2, "k2")], {}, NOW, AGE)
    text = report(Sweep(verdicts, claims=(a_claim(),), jobs=(a_job(),)))
    assert text.splitlines() == [
        "to be removed: 1",
        "  gs://scoring-work/weights/runs/k1: 1 files, 3.0 MiB: last used on 2026-01-20, more than "
        "30 days ago",
        "kept: 1",
        "  gs://scoring-work/weights/runs/k2: 1 files, 3.0 MiB: last used on 2026-02-27, within "
        "30 days",
        "claims of DAG runs that are over: 1",
        "  weights_batch, run one, on k1",
        "active jobs that no DAG run waits for, to be cancelled: 1",
        "  weights-batch-k1 (id-1), night 2026-01-05",
    ]


def test_a_long_report_says_how_many_lines_it_leaves_out() -> None:
    verdicts = judge([a_run(1, f"k{n}") for n in range(250)], {}, NOW, AGE)
    assert "kept: 250" in report(Sweep(verdicts))
    assert "  … and 50 more" in report(Sweep(verdicts))
