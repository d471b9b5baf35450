"""A streaming job's life on the whole stack, 200 requests a second all the time: launched, upgraded
in place, saved from a bad release, cancelled by a stranger."""

from __future__ import annotations

import pytest

from nightstream.lifecycle.ledger import Entry, FailureKind, Outcome
from tests.end_to_end.lifecycle.conftest import NewService
from tests.support.lifecycle.service import (
    QUICK,
    REFUSED_ABOVE,
    DeclaredService,
    Life,
    refused_numbers,
)
from tests.support.lifecycle.stories import serving

pytestmark = pytest.mark.stack


@pytest.mark.timeout(1_800)
def test_every_request_is_answered_once_through_launch_upgrade_bad_release_and_cancellation(
    new_service: NewService,
) -> None:
    service = new_service("history")
    service.release("v1")
    service.declare()
    with service.life() as life:
        service.switch_on()
        first = service.await_outcome("v1", Outcome.STABLE)
        assert [job.revision for job in life.watch.jobs] == [first.revision.id]

        service.release("v2")
        second = service.await_outcome("v2", Outcome.STABLE)
        launched, updated = life.watch.jobs
        assert (launched.state, updated.state) == ("UPDATED", "RUNNING")
        assert updated.replaces == launched.id

        service.release("v3", most=REFUSED_ABOVE)
        bad = service.await_outcome("v3", Outcome.REJECTED)
        back = serving(service, life)
        assert back.revision == second.revision.id

        service.ask(back.id, "CANCELLED")
        service.eventually("waited for its end", lambda: back.state == "CANCELLED")
        again = serving(service, life)

    found = service.account(life)
    assert [job.revision for job in life.watch.jobs] == [
        entry.revision.id for entry in (first, second, bad, second, second)
    ]
    assert life.watch.standing() == [again]
    only_by_the_bad_model(service, life, found.dead)
    rejected_in_time(service, bad)
    alerts = service.logs.alerts()
    assert len(alerts) == 2, "\n".join(alerts)
    alert_of_release, alert_of_cancellation = alerts
    assert f"{bad.revision.id} is rejected: " in alert_of_release
    assert "requests became dead letters" in alert_of_release
    assert f"({back.id}) is CANCELLED, which nobody asked for here" in alert_of_cancellation
    assert [failure.kind for failure in service.ledger.failures] in ([], [FailureKind.STOPPED])


def only_by_the_bad_model(service: DeclaredService, life: Life, dead: dict[str, str]) -> None:
    refused = {f"r-{number}" for number in refused_numbers(len(life.load.ids))}
    assert set(dead.values()) == {"prediction_failed"}
    assert set(dead) <= refused
    assert not service.versions("predictions").get("v3", set()) & refused


def rejected_in_time(service: DeclaredService, bad: Entry) -> None:
    """Within two rounds after the window."""
    window = QUICK["health"]["window_seconds"]
    ran, rejected = bad.times[Outcome.LAUNCHED], bad.times[Outcome.REJECTED]
    late = [
        at
        for at in service.logs.decided_at()
        if (at - ran).total_seconds() > window and at <= rejected
    ]
    assert len(late) <= 2
