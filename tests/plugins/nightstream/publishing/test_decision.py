"""Every situation a publisher can find a night in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from nightstream.publishing.decision import Acquire, Decision, Resume, Skip, TakeOver, Wait, decide
from nightstream.publishing.ledger import Intent, Lease, Ledger, Night, Publication, Publisher

NOW = datetime(2026, 1, 6, 2, tzinfo=UTC)
NIGHT = Night(
    service="demo", score_date=date(2026, 1, 5), rows_scored=3, rows_dead=0, model_version="1"
)


def publisher(run_id: str, try_number: int = 1, run_key: str = "a") -> Publisher:
    return Publisher(
        dag_id="demo_batch",
        run_id=run_id,
        try_number=try_number,
        run_key=run_key,
        manifest_uri=f"gs://scoring-work/{run_key}/manifest.json",
    )


ME = publisher("mine", 2)
MINE_BEFORE = publisher("mine", 1)
MINE_LATER = publisher("mine", 3)
MINE_OTHER_WORK = publisher("mine", 1, "b")
THEIRS = publisher("theirs")
THEIRS_OTHER_WORK = publisher("theirs", 1, "b")


def lease(holder: Publisher, seconds: float = 60) -> Lease:
    return Lease(holder=holder, expires_at=NOW + timedelta(seconds=seconds))


def intent(who: Publisher) -> Intent:
    return Intent.begin(who, NIGHT, 4, NOW)


def published(who: Publisher) -> Publication:
    return Publication(intent=Intent.begin(who, NIGHT, 3, NOW), published_at=NOW)


@pytest.mark.parametrize(
    ("ledger", "decision"),
    [
        (Ledger(), Acquire()),
        (Ledger(published=published(THEIRS_OTHER_WORK)), Acquire()),
        (Ledger(published=published(MINE_OTHER_WORK)), Acquire()),
        (Ledger(published=published(MINE_BEFORE)), Skip(published(MINE_BEFORE))),
        (Ledger(published=published(THEIRS)), Skip(published(THEIRS))),
        (Ledger(lease=lease(THEIRS)), Wait(THEIRS, NOW + timedelta(seconds=60))),
        (Ledger(lease=lease(MINE_LATER)), Wait(MINE_LATER, NOW + timedelta(seconds=60))),
        (
            Ledger(lease=lease(THEIRS), published=published(ME)),
            Wait(THEIRS, NOW + timedelta(seconds=60)),
        ),
        (Ledger(lease=lease(THEIRS, 0)), Acquire()),
        (Ledger(lease=lease(MINE_BEFORE)), Acquire()),
        (Ledger(intent=intent(MINE_BEFORE)), Resume(intent(MINE_BEFORE))),
        (Ledger(lease=lease(ME), intent=intent(ME)), Resume(intent(ME))),
        (Ledger(lease=lease(THEIRS, -1), intent=intent(ME)), Resume(intent(ME))),
        (Ledger(intent=intent(MINE_OTHER_WORK)), TakeOver(intent(MINE_OTHER_WORK))),
        (Ledger(lease=lease(THEIRS, -1), intent=intent(THEIRS)), TakeOver(intent(THEIRS))),
        (Ledger(lease=lease(ME), intent=intent(THEIRS)), TakeOver(intent(THEIRS))),
        (
            Ledger(intent=intent(THEIRS_OTHER_WORK), published=published(ME)),
            TakeOver(intent(THEIRS_OTHER_WORK)),
        ),
    ],
)
def test_the_decision_follows_from_the_ledger(ledger: Ledger, decision: Decision) -> None:
    assert decide(ledger, ME, NOW) == decision


def test_forced_work_is_published_again_unless_this_dag_run_did_it() -> None:
    assert decide(Ledger(published=published(THEIRS)), ME, NOW, force=True) == Acquire()
    mine = published(MINE_BEFORE)
    assert decide(Ledger(published=mine), ME, NOW, force=True) == Skip(mine)


def test_sequences_only_grow() -> None:
    assert Ledger().last_sequence == 0
    assert Ledger(published=published(ME)).last_sequence == 3
    assert Ledger(published=published(ME), intent=intent(THEIRS)).last_sequence == 4


def test_load_job_ids_are_the_same_for_every_try_and_new_for_everything_else() -> None:
    first = intent(MINE_BEFORE)
    assert first.predictions_job.startswith("nightstream-demo-20260105-predictions-")
    assert first.dead_letters_job.startswith("nightstream-demo-20260105-dead-")
    assert intent(ME).predictions_job == first.predictions_job
    others = [
        first,
        first.next_attempt(),
        intent(THEIRS),
        intent(MINE_OTHER_WORK),
        Intent.begin(ME, NIGHT, 5, NOW),
        Intent.begin(ME, NIGHT, 4, NOW + timedelta(seconds=1)),
    ]
    ids = [job for i in others for job in (i.predictions_job, i.dead_letters_job)]
    assert len(set(ids)) == len(ids)


def test_a_ledger_survives_its_json() -> None:
    ledger = Ledger(lease=lease(ME), intent=intent(THEIRS), published=published(ME))
    assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger


def test_only_an_intent_can_be_committed() -> None:
    with pytest.raises(ValueError, match="no intent"):
        Ledger().committed(NOW)
