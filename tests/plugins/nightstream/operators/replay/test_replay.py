"""Dead letters of nights, tried again from the form to the table of outcomes."""

from __future__ import annotations

from datetime import date

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from nightstream.runs import Outcome
from tests.plugins.nightstream.operators.conftest import NIGHT
from tests.plugins.nightstream.operators.replay.conftest import Nights, score
from tests.support.night_output import hand_on
from tests.support.turns import DagRun

NIGHTLY = "id,weeks\na,40\nb,10\nc,x\nd,30\ne,12\n"


def test_repaired_rows_join_the_published_ones_and_replaying_again_changes_nothing(
    nights: Nights,
) -> None:
    nights.publish(NIGHTLY)
    nights.mend()

    first = nights.replay()

    assert first is not None
    assert first.outcome is Outcome.PUBLISHED
    assert first.sequence == 2
    after = nights.partition()
    assert [row[0] for row in after["predictions"]] == ["a", "b", "d", "e"]
    assert [row[:2] for row in after["dead"]] == [("wrong_type", b"c,x")]
    outcomes = nights.outcomes()
    assert [row[:3] for row in outcomes] == [
        ("repaired", "out_of_range", None),
        ("still_dead", "wrong_type", "wrong_type"),
        ("repaired", "out_of_range", None),
    ]
    recorded = nights.rows(
        "SELECT dag_id, rows_in, rows_scored, rows_dead FROM `{}.scoring_runs` ORDER BY dag_id"
    )
    assert recorded == [("weights_batch", 5, 2, 3), ("weights_replay", 5, 4, 1)]

    assert nights.replay("again") is None
    assert nights.partition() == after
    assert nights.differences() == []
    assert nights.outcomes() == outcomes


@pytest.mark.long
def test_letters_are_chosen_by_code_and_condition(nights: Nights) -> None:
    nights.publish(NIGHTLY)
    nights.mend()
    condition = "error_field = 'weeks' AND source_position > 20 -- the later one"
    nights.replay(error_codes=["out_of_range"], condition=condition)
    after = nights.partition()
    assert [row[0] for row in after["predictions"]] == ["a", "d", "e"]
    assert [row[0] for row in after["dead"]] == ["out_of_range", "wrong_type"]
    assert [row[0] for row in nights.outcomes()] == ["repaired"]


def test_a_night_whose_files_are_gone_is_revised_from_its_partition(nights: Nights) -> None:
    manifest = nights.publish(NIGHTLY)
    for file in (*manifest.predictions, *manifest.dead_letters):
        nights.service.objects.delete(file.uri)
    nights.mend()
    nights.replay()
    assert [row[0] for row in nights.partition()["predictions"]] == ["a", "b", "d", "e"]


@pytest.mark.long
def test_a_night_that_was_published_anew_meanwhile_is_not_overwritten(nights: Nights) -> None:
    nights.publish(NIGHTLY)
    nights.mend()
    run = DagRun("slow", "weights_replay", params={"from_date": str(NIGHT)})
    plan = nights.resolve(run)
    assert plan is not None
    resolved = run.xcoms["resolve", "return_value"]
    nights.publish("id,weeks\nz,40\n", run_id="corrected")

    hand_on(run, plan, score(plan))
    run.xcoms["resolve", "return_value"] = resolved
    with pytest.raises(AirflowFailException, match=r"stands there now.*Remedy: replay again"):
        nights.finish(run)
    assert [row[0] for row in nights.partition()["predictions"]] == ["z"]


@pytest.mark.long
def test_a_dry_run_publishes_and_remembers_nothing(nights: Nights) -> None:
    nights.publish(NIGHTLY)
    before = nights.partition()
    nights.mend()
    done = nights.replay(dry_run=True)
    assert done is not None
    assert done.outcome is Outcome.DRY_RUN
    assert nights.partition() == before


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("no_such_column = 1", "no_such_column"),
        ("TRUE), FALSE) AS chosen FROM x; SELECT (1", "dead letters cannot be looked up"),
    ],
)
def test_a_condition_that_is_none_is_refused(
    nights: Nights, condition: str, complaint: str
) -> None:
    nights.publish(NIGHTLY)
    run = DagRun("wrong", params={"from_date": str(NIGHT), "condition": condition})
    with pytest.raises(AirflowFailException, match=complaint):
        nights.resolve(run)


def test_a_night_that_is_not_published_cannot_be_replayed(nights: Nights) -> None:
    run = DagRun("early", params={"from_date": "2026-01-09"})
    with pytest.raises(AirflowFailException, match=r"not published.*Remedy: run the night"):
        nights.resolve(run)


@pytest.mark.long
def test_letters_changed_by_hand_are_told(nights: Nights) -> None:
    nights.publish(NIGHTLY)
    nights.rows("DELETE FROM `{}.weights_dead_letters` WHERE error_code = 'wrong_type'")
    run = DagRun("odd", params={"from_date": str(NIGHT)})
    with pytest.raises(AirflowFailException, match="3 dead letters, and the table holds 2"):
        nights.resolve(run)


@pytest.mark.long
def test_several_nights_become_a_run_each(nights: Nights) -> None:
    for day in (5, 7):
        nights.publish(NIGHTLY, date(2026, 1, day), run_id=f"night {day}")
    form = {"from_date": "2026-01-01", "to_date": "2026-01-31"}
    run = DagRun("range", "weights_replay", params=form)
    choose = nights.task("choose", run)
    choose.finish()
    runs = nights.task("nights", run).finish()
    assert [one["trigger_run_id"] for one in runs] == ["range__2026-01-05", "range__2026-01-07"]
    assert [one["conf"]["from_date"] for one in runs] == ["2026-01-05", "2026-01-07"]
    assert {one["conf"]["to_date"] for one in runs} == {None}
    assert choose.skipped == ["resolve"]


@pytest.mark.long
def test_days_without_such_letters_are_skipped(nights: Nights) -> None:
    nights.publish(NIGHTLY)
    form = {"from_date": "2026-01-01", "to_date": "2026-01-31", "error_codes": ["not_json"]}
    with pytest.raises(AirflowSkipException, match="has such dead letters"):
        nights.task("nights", DagRun("none", params=form)).finish()
