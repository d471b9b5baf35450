"""Who was champion when, and which version is next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from beam_jobs.runs.release import Action
from nightstream.releasing.candidates import (
    Candidate,
    Nothing,
    Unclear,
    choose_release,
    choose_roll_back,
)
from nightstream.releasing.champions import Champions
from nightstream.releasing.promotion import Move, Moved, Overtaken, next_promotion
from tests.support.release_plans import a_plan

START = datetime(2026, 1, 5, tzinfo=UTC)
VERSIONS = {"v1": START, "v3": START + timedelta(days=2), "v2": START + timedelta(days=1)}


def champions(*moves: tuple[Action, str, str | None]) -> Champions:
    """After those moves of the alias: how, to which version, from which."""
    ledger = Champions()
    for action, version, previous in moves:
        ledger = ledger.with_next(a_plan(version, previous, action), START)
    return ledger


RELEASED = [
    (Action.RELEASE, "v1", None),
    (Action.RELEASE, "v2", "v1"),
    (Action.RELEASE, "v3", "v2"),
]
BACK = (Action.ROLL_BACK, "v2", "v3")


def test_what_is_written_down_twice_is_there_once() -> None:
    plan = a_plan("v2", "v1")
    ledger = Champions().with_next(plan, START)
    assert ledger.with_next(plan, START + timedelta(days=1)) == ledger
    assert ledger.last_of(plan) is not None
    assert ledger.last_of(a_plan("v3", "v2")) is None


def test_rolled_back_twice_a_service_goes_back_twice() -> None:
    once = champions(*RELEASED, BACK)
    assert champions(*RELEASED).before("v3") == "v2"
    assert once.before("v2") == "v1"
    assert once.before("v1") is None


def test_a_version_that_is_released_again_is_not_rolled_back_any_more() -> None:
    assert champions(*RELEASED, BACK).rolled_back("v3")
    assert not champions(*RELEASED, BACK).rolled_back("v2")
    assert not champions(*RELEASED, BACK, (Action.RELEASE, "v3", "v2")).rolled_back("v3")


@pytest.mark.parametrize(
    ("asked", "champion", "ledger", "chosen"),
    [
        (None, "v2", Champions(), Candidate("v3")),
        ("v1", "v2", Champions(), Candidate("v1")),
        (None, "v3", Champions(), Nothing("v3 is the champion already")),
        ("v3", "v2", champions(*RELEASED, BACK), Candidate("v3")),
    ],
)
def test_the_newest_version_is_the_candidate_unless_one_is_named(
    asked: str | None, champion: str, ledger: Champions, chosen: object
) -> None:
    assert choose_release(asked, VERSIONS, champion, ledger) == chosen


def test_a_version_that_was_rolled_back_from_is_not_released_by_chance() -> None:
    choice = choose_release(None, VERSIONS, "v2", champions(*RELEASED, BACK))
    assert isinstance(choice, Unclear)
    assert "rolled back" in choice.reason
    assert "Remedy" in choice.reason


def test_without_any_version_there_is_no_candidate() -> None:
    assert isinstance(choose_release(None, {}, None, Champions()), Unclear)


def test_a_roll_back_goes_to_the_champion_before_or_to_the_one_that_is_named() -> None:
    ledger = champions(*RELEASED)
    assert choose_roll_back(None, "v3", ledger) == Candidate("v2")
    assert choose_roll_back("v1", "v3", ledger) == Candidate("v1")
    assert choose_roll_back("v3", "v3", ledger) == Nothing("v3 is the champion already")
    for champion in ("v1", "by-hand", None):
        choice = choose_roll_back(None, champion, ledger)
        assert isinstance(choice, Unclear)
        assert "Remedy" in choice.reason


def test_the_alias_is_moved_from_the_champion_that_was_compared_only() -> None:
    plan = a_plan("v2", "v1")
    assert next_promotion(plan, "v1") == Move()
    assert next_promotion(plan, "v2") == Moved()
    for said in ("v7", None):
        overtaken = next_promotion(plan, said)
        assert isinstance(overtaken, Overtaken)
        assert "Remedy" in overtaken.reason
    assert next_promotion(a_plan("v1", None), None) == Move()
