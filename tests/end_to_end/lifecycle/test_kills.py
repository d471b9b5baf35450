"""Airflow's scheduler and its tasks killed at random moments, and the local cloud restarted, in the
middle of everything that may happen to a streaming job."""

from __future__ import annotations

import pytest

from local.stack import Stack
from nightstream.lifecycle.ledger import Outcome
from tests.end_to_end.lifecycle.conftest import NewService
from tests.support.lifecycle.kills import Kills
from tests.support.lifecycle.stories import STORIES, serving

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(3_600)]


@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_lost_or_done_twice_though_airflow_is_killed(
    stack: Stack, new_service: NewService, story: str
) -> None:
    service = new_service(f"killed_{story}")
    victims = ["task", "scheduler", "task", "task", "scheduler"]
    STORIES[story].prepare(service)
    with service.life() as life:
        STORIES[story].begin(service)
        with Kills(stack, victims, seed=len(story)) as kills:
            STORIES[story].play(service, life)
            kills.await_all()
        service.await_rounds(2)

    assert kills.killed == victims
    found = service.account(life)
    assert bool(found.dead) == (story == "rolled_back")
    assert len(life.watch.standing()) == 1
    rejected = {"v2": Outcome.REJECTED} if story == "rolled_back" else {}
    outcomes = {e.revision.model_version: e.outcome for e in service.ledger.entries.values()}
    assert outcomes == {**dict.fromkeys(outcomes, Outcome.STABLE), **rejected}


@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_lost_or_done_twice_though_the_cloud_is_restarted(
    stack: Stack, new_service: NewService, story: str
) -> None:
    service = new_service(f"restarted_{story}")
    STORIES[story].prepare(service)
    with service.life() as life:
        STORIES[story].begin(service)
        with Kills(stack, ["cloud", "cloud"], seed=len(story)) as kills:
            STORIES[story].play(service, life)
            kills.await_all()
        service.await_rounds(2)

    found = service.account(life)
    assert bool(found.dead) == (story == "rolled_back")
    assert len(life.watch.standing()) == 1


def test_the_first_launch_is_made_once_though_airflow_is_killed_in_its_middle(
    stack: Stack, new_service: NewService
) -> None:
    service = new_service("killed_launch")
    STORIES["upgraded"].prepare(service)
    with service.life() as life:
        with Kills(stack, ["task", "scheduler", "task"], seed=1) as kills:
            STORIES["upgraded"].begin(service)
            kills.await_all()
        serving(service, life)

    assert not service.account(life).dead
    assert len(life.watch.standing()) == 1
