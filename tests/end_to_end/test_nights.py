"""What a team sees of its nights: triggered by hand, backfilled, run twice, gone back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from examples.demo.books import differences, read_nights
from tests.support.stack_nights import StackNights

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

BY_HAND = date(2026, 2, 1)
STEPS = ("await_input", "resolve", "score", "audit", "publish", "record")


def test_two_runs_for_one_night_at_once_share_one_job_and_publish_one_night(
    nights: StackNights,
) -> None:
    """Triggered by hand, without a logical date."""
    sent = nights.send(BY_HAND)
    runs = [nights.trigger(BY_HAND), nights.trigger(BY_HAND)]
    assert nights.finished(*runs) == ["success", "success"]
    states = [nights.task_states(run) for run in runs]
    for step in STEPS:
        expected = {"success", "skipped"} if step == "publish" else {"success"}
        assert {"success"} <= {state[step] for state in states} <= expected, step
    recorded = nights.recorded(BY_HAND)
    assert len(recorded) == 2
    assert len({row["run_key"] for row in recorded}) == 1
    assert len({row["job_id"] for row in recorded}) == 1
    [published] = read_nights(nights.client, nights.dataset, [BY_HAND])
    assert differences(sent, replace(published, runs=published.runs[:1])) == []


def test_the_night_goes_from_model_a_to_b_and_back_to_a(nights: StackNights) -> None:
    before = nights.published_rows(BY_HAND)
    first = nights.recorded(BY_HAND)[0]
    for version in ("v2", "v1"):
        run = nights.trigger(BY_HAND, model_version=version)
        assert nights.finished(run) == ["success"]
        rows = nights.published_rows(BY_HAND)
        assert {row["model_version"] for row in rows} == {version}
        assert len(rows) == len(before)
    *_, other, last = nights.recorded(BY_HAND)
    assert (other["outcome"], last["outcome"]) == ("published", "published")
    assert other["run_key"] != last["run_key"] == first["run_key"]


def test_a_backfill_replaces_each_night_and_a_second_one_changes_nothing(
    nights: StackNights,
) -> None:
    days = [date(2026, 3, 2) + timedelta(days=n) for n in range(2)]
    sent = [nights.send(day) for day in days]
    runs = nights.backfill(days[0], days[-1] + timedelta(days=1), "--run-backwards")
    assert nights.finished(*runs) == ["success"] * 2
    published = read_nights(nights.client, nights.dataset, days)
    for night, found in zip(sent, published, strict=True):
        assert differences(night, found) == []

    before = [nights.published_rows(day) for day in days]
    again = nights.backfill(
        days[0], days[-1] + timedelta(days=1), "--reprocess-behavior", "completed"
    )
    assert sorted(again) == sorted(runs)
    assert nights.finished(*again) == ["success"] * 2
    assert [nights.published_rows(day) for day in days] == before
    assert [len(nights.recorded(day)) for day in days] == [1, 1]


def test_a_dry_run_publishes_nothing(nights: StackNights) -> None:
    day = date(2026, 6, 1)
    nights.send(day)
    run = nights.trigger(day, dry_run=True)
    assert nights.finished(run) == ["success"]
    assert nights.published_rows(day) == []
    assert [row["outcome"] for row in nights.recorded(day)] == ["dry_run"]


def test_a_night_with_too_many_dead_letters_is_not_published_and_says_by_how_much(
    nights: StackNights,
) -> None:
    day = date(2026, 7, 1)
    sent = nights.send(day, births=20, broken=2)
    run = nights.trigger(day)
    assert nights.finished(run) == ["failed"]
    assert nights.published_rows(day) == []
    assert f"{sum(sent.dead.values())} of {sent.rows} rows" in nights.log(run, "audit")
