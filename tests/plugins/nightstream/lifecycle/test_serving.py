"""What is decided on the slot that serves: launches, upgrades, health and restarts."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from beam_jobs.spec.lifecycle import LifecycleSpec, RestartSpec, UpgradeSpec
from nightstream.lifecycle.actions import (
    Action,
    Ask,
    Drain,
    Launch,
    Nothing,
    Open,
    Refresh,
    Tune,
    Update,
    Wait,
)
from nightstream.lifecycle.decision import Decision
from nightstream.lifecycle.ledger import FailureKind, Outcome
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Workers
from nightstream.lifecycle.table.examples import (
    ILL,
    NOW,
    PLACE,
    R1,
    R2,
    TIMING,
    Example,
    a_job,
    a_ledger,
    a_reading,
    ago,
    an_entry,
    an_intent,
    asked,
    example,
    failures,
    revision,
)
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.lifecycle.decisions import (
    STRATEGIES,
    Strategy,
    action,
    by,
)

# Launch, adopt, wait.


def test_what_is_declared_is_launched_where_nothing_runs() -> None:
    assert action() == Launch(Slot.A, "R1")


def test_a_launch_is_announced_before_it_is_made() -> None:
    before = example().decided().before
    assert before.intent is not None
    assert (before.intent.revision, before.intent.slot) == ("R1", Slot.A)
    assert before.intent.expires_at == NOW + TIMING.launch


def test_a_job_of_the_declared_revision_is_adopted() -> None:
    assert action(a_job()) == Nothing()


@pytest.mark.parametrize("state", ["PENDING", "QUEUED", "STOPPED", "RESOURCE_CLEANING_UP"])
def test_a_job_that_does_not_run_yet_is_waited_for(state: str) -> None:
    assert action(a_job(R1, state, minutes=2)) == Wait()
    assert action(a_job(R1, state, minutes=11)) == Ask(), "for the time of a launch"


@pytest.mark.parametrize("state", ["DRAINING", "CANCELLING"])
def test_nothing_is_launched_beside_a_job_that_is_ending(state: str) -> None:
    assert action(a_job(R1, state)) == Wait()


@pytest.mark.parametrize("replaces", [None, "job-1"])
def test_an_action_whose_outcome_is_unknown_is_not_followed_by_another(
    replaces: str | None,
) -> None:
    under_way = a_ledger(intent=an_intent(R2, replaces=replaces))
    for override in (None, asked("suspend"), asked("cancel")):
        ledger = under_way.model_copy(update={"override": override})
        assert action(a_job(), wanted=R2, ledger=ledger) == Wait()


# Upgrades.


def test_other_workers_are_tuned_in_flight() -> None:
    few = Workers(least=1, most=2)
    for spec in (by("update"), by("parallel"), by("drain_and_replace")):
        assert action(a_job(workers=few), spec=spec) == Tune("job-1", R1.workers)


@pytest.mark.parametrize(
    ("strategy", "first"),
    [
        ("update", Update(Slot.A, "R2", "job-1")),
        ("drain_and_replace", Drain("job-1")),
        ("parallel", Open(Slot.B)),
    ],
)
def test_each_strategy_begins_in_its_own_way(strategy: Strategy, first: Action) -> None:
    assert action(a_job(), wanted=R2, spec=by(strategy)) == first


@pytest.mark.parametrize(
    ("strategy", "first"), [("update", Drain("job-1")), ("parallel", Open(Slot.B))]
)
def test_an_update_that_was_refused_falls_back(strategy: Strategy, first: Action) -> None:
    ledger = a_ledger(refused=(("R1", "R2"),))
    assert action(a_job(), wanted=R2, ledger=ledger, spec=by(strategy)) == first


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_job_is_moved_by_drain_and_launch_whatever_the_strategy(strategy: Strategy) -> None:
    elsewhere = PLACE.model_copy(update={"region": "us-central1"})
    moved = revision("R2", place=elsewhere)
    assert action(a_job(), wanted=moved, spec=by(strategy)) == Drain("job-1")


def test_a_marked_change_is_not_made_in_place() -> None:
    assert action(a_job(), wanted=revision("R2", topology="2")) == Drain("job-1")


# A model that has moved.


def moved_model(model: Literal["update", "refresh", "hold"], **job: Any) -> Decision:
    refreshes = model == "refresh"
    running = revision("R1", refreshes=refreshes)
    wanted = revision("R2", base="R1", model_version="2", refreshes=refreshes)
    spec = LifecycleSpec(upgrade=UpgradeSpec(model=model))
    ledger = a_ledger({Outcome.STABLE: running})
    return example(a_job(running, **job), wanted=wanted, ledger=ledger, spec=spec).decided()


def test_a_moved_model_is_an_update_a_refresh_or_nothing_as_the_spec_says() -> None:
    assert moved_model("update").action == Update(Slot.A, "R2", "job-1")
    assert moved_model("refresh").action == Refresh("job-1", "R1", "R2")
    assert moved_model("hold").action == Nothing()


def test_a_refresh_names_the_revision_that_the_job_was_launched_with() -> None:
    assert moved_model("refresh", launched_as="R0").action == Refresh("job-1", "R0", "R2")


def test_a_model_that_is_held_does_not_keep_other_changes_from_being_made() -> None:
    spec = LifecycleSpec(upgrade=UpgradeSpec(model="hold"))
    changed = revision("R2", model_version="2")
    assert action(a_job(), wanted=changed, spec=spec) == Update(Slot.A, "R2", "job-1")
    tuned = revision("R2", base="R1", model_version="2", workers=Workers(least=1, most=9))
    assert action(a_job(), wanted=tuned, spec=spec) == Tune("job-1", tuned.workers)


def test_a_model_that_is_held_is_launched_again() -> None:
    spec = LifecycleSpec(upgrade=UpgradeSpec(model="hold"))
    wanted = revision("R2", base="R1", model_version="2")
    assert action(wanted=wanted, spec=spec) == Launch(Slot.A, "R1")


def test_a_refreshed_model_that_does_badly_is_refreshed_back() -> None:
    served = revision("R2", base="R1", model_version="2", refreshes=True)
    running = revision("R1", refreshes=True)
    earlier = a_reading(at=ago(5), revision="R2", requests=10_000)
    outcomes = {Outcome.STABLE: running, Outcome.LAUNCHED: served}
    ledger = a_ledger(outcomes, readings={"job-1": (earlier,)})
    job = a_job(served, launched_as="R1")
    assert action(job, wanted=served, ledger=ledger, reading=ILL) == Refresh("job-1", "R1", "R1")


# Health.


def on_probation(strategy: Strategy, reading: Reading | None = None) -> Example:
    ledger = a_ledger({Outcome.STABLE: R1, Outcome.LAUNCHED: R2})
    begun = {**ledger.entries, "R2": an_entry(R2, Outcome.LAUNCHED, 5)}
    ledger = ledger.model_copy(update={"entries": begun})
    return example(a_job(R2), wanted=R2, ledger=ledger, spec=by(strategy), reading=reading)


def test_a_revision_on_probation_is_waited_for() -> None:
    assert on_probation("update").decided().action == Wait()


@pytest.mark.parametrize(
    ("strategy", "back"),
    [("update", Update(Slot.A, "R1", "job-1")), ("drain_and_replace", Drain("job-1"))],
)
def test_a_bad_release_is_rolled_back_by_itself(strategy: Strategy, back: Action) -> None:
    decision = on_probation(strategy, ILL).decided()
    assert decision.action == back
    assert any("R2 is rejected" in alert for alert in decision.alerts)


def test_a_rejected_revision_is_not_tried_again_until_another_is_declared() -> None:
    ledger = a_ledger({Outcome.STABLE: R1, Outcome.REJECTED: R2})
    assert action(a_job(), wanted=R2, ledger=ledger) == Nothing()
    assert action(wanted=R2, ledger=ledger) == Launch(Slot.A, "R1")
    assert action(a_job(), wanted=revision("R3"), ledger=ledger) == Update(Slot.A, "R3", "job-1")


def test_a_stable_job_that_falls_ill_goes_on_and_a_person_is_asked() -> None:
    assert action(a_job(), reading=ILL) == Ask()


def test_the_first_revision_ever_goes_on_though_it_is_ill() -> None:
    ledger = a_ledger({Outcome.LAUNCHED: R1})
    assert action(a_job(), ledger=ledger, reading=ILL) == Ask()


def test_health_that_is_unknown_is_waited_out() -> None:
    assert action(a_job(), reading=a_reading(requests=None)) == Wait()


# Jobs that end.


def crashed(number: int, seconds: float, **spec: Any) -> Action:
    ledger = a_ledger(failures=failures(R1, FailureKind.CRASH, number, seconds / 60))
    return action(ledger=ledger, spec=LifecycleSpec(restarts=RestartSpec(**spec)))


def test_a_crashed_job_is_restarted_with_back_off() -> None:
    assert crashed(1, 29) == Wait()
    assert crashed(1, 30) == Launch(Slot.A, "R1")
    assert crashed(3, 119) == Wait()
    assert crashed(3, 120) == Launch(Slot.A, "R1")


def test_once_the_budget_is_spent_a_person_is_asked() -> None:
    assert crashed(6, 9_000, most=5) == Ask()
    assert crashed(1, 9_000, most=0) == Ask()


def test_an_upgrade_that_keeps_failing_waits_too_and_the_running_job_goes_on() -> None:
    ledger = a_ledger(failures=failures(R2, FailureKind.LAUNCH, 2, 0.5))
    assert action(a_job(), wanted=R2, ledger=ledger) == Wait()


def test_a_release_that_fails_at_once_makes_way_for_the_last_stable_one() -> None:
    ledger = a_ledger({Outcome.STABLE: R1, Outcome.LAUNCHED: R2})
    assert action(a_job(R2, "FAILED"), wanted=R2, ledger=ledger) == Launch(Slot.A, "R1")
