"""What may happen to a streaming job that runs, each on the whole stack with 200 requests a second
all the time: every request is answered once, and the jobs and the ledger tell what was done."""

from __future__ import annotations

import pytest

from nightstream.lifecycle.ledger import Outcome
from tests.end_to_end.lifecycle.conftest import NewService
from tests.support.lifecycle.service import DeclaredService, Life
from tests.support.lifecycle.stories import STORIES, Story
from tests.support.live_service import Outcome as Accounted

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(1_800)]


def told(service: DeclaredService, story: Story) -> tuple[Life, Accounted]:
    """The story as it went, and what became of the requests."""
    story.prepare(service)
    with service.life() as life:
        story.begin(service)
        story.play(service, life)
    return life, service.account(life)


def states(life: Life) -> list[tuple[str, str]]:
    """Slot and last state of all jobs, oldest first."""
    return [(job.name[-1], job.state) for job in life.watch.jobs]


def versions(service: DeclaredService) -> dict[str, Outcome]:
    """Outcomes of the ledger's revisions, by model."""
    return {
        entry.revision.model_version: entry.outcome for entry in service.ledger.entries.values()
    }


@pytest.mark.parametrize("story", ["replaced", "refused"])
def test_what_cannot_be_changed_in_place_is_drained_and_replaced(
    new_service: NewService, story: str
) -> None:
    service = new_service(f"story_{story}")
    life, found = told(service, STORIES[story])

    tried = [("a", "FAILED")] if story == "refused" else []
    assert states(life) == [("a", "DRAINED"), *tried, ("a", "RUNNING")]
    assert "DRAINING" in life.watch.jobs[0].states
    assert versions(service) == {"v1": Outcome.STABLE, "v2": Outcome.STABLE}
    assert not found.dead
    assert service.logs.alerts() == []
    assert bool(service.ledger.refused) == (story == "refused")
    reason = {
        "replaced": "the spec marks the change as one that is not made in place",
        "refused": "the service has refused to update it in place",
    }
    assert service.logs.said("decide", reason[story])


def test_a_new_job_proves_itself_beside_the_old_one_and_then_serves_alone(
    new_service: NewService,
) -> None:
    service = new_service("story_parallel")
    life, found = told(service, STORIES["side_by_side"])

    assert states(life) == [("a", "DRAINED"), ("b", "DRAINED"), ("a", "RUNNING")]
    assert versions(service) == dict.fromkeys(("v1", "v2", "v3"), Outcome.STABLE)
    assert not found.dead
    assert service.logs.alerts() == []
    assert service.subscriptions() == {service.paths.subscription}
    for slot in "ab":
        assert service.logs.said("decide", f"Action: open slot {slot} with a subscription")
        assert len(service.logs.said("decide", f"Action: close slot {slot} and delete")) == 1


def test_a_job_whose_processes_are_killed_goes_on_and_one_that_failed_is_launched_again(
    new_service: NewService,
) -> None:
    service = new_service("story_lost")
    life, found = told(service, STORIES["lost"])

    assert states(life) == [("a", "FAILED"), ("a", "RUNNING")]
    assert not found.dead
    alerts = service.logs.alerts()
    assert len(alerts) == 1, "\n".join(alerts)
    assert f"({life.watch.jobs[0].id}) is FAILED, which nobody asked for here" in alerts[0]
    assert versions(service) == {"v1": Outcome.STABLE}


def test_requests_wait_while_the_job_is_suspended_and_are_answered_once_it_is_resumed(
    new_service: NewService,
) -> None:
    service = new_service("story_suspended")
    life, found = told(service, STORIES["suspended"])

    assert states(life) == [("a", "DRAINED"), ("a", "RUNNING")]
    assert not found.dead
    assert service.logs.alerts() == []
    assert service.logs.said("decide", "admin has asked to suspend it")


def test_the_running_job_changes_over_to_another_model(new_service: NewService) -> None:
    service = new_service("story_refreshed")
    life, found = told(service, STORIES["refreshed"])

    assert states(life) == [("a", "RUNNING")]
    assert not found.dead
    assert versions(service) == {"v1": Outcome.STABLE, "v2": Outcome.STABLE}
    assert len(service.logs.said("decide", "to the model of revision")) == 1
    scored = service.versions("predictions")
    assert set(scored) == {"v1", "v2"}
    assert service.revisions("v2") == {service.ledger.stable}
    assert service.logs.alerts() == []
