"""What an observation adds to the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from beam_jobs.spec.lifecycle import LifecycleSpec, UpgradeSpec
from nightstream.lifecycle.learned import Learned
from nightstream.lifecycle.learning import learn
from nightstream.lifecycle.ledger import FailureKind, Ledger, Outcome
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Workers
from nightstream.lifecycle.table.examples import (
    ILL,
    NOW,
    R1,
    R2,
    SPEC,
    Example,
    a_job,
    a_ledger,
    a_reading,
    ago,
    an_entry,
    an_intent,
    asked,
    beside,
    entries,
    example,
    failures,
    revision,
)
from nightstream.streaming.naming import Slot


def learned(seen: Example) -> Learned:
    return learn(seen.seen, seen.spec, NOW)


def probation(minutes: float, reading: Reading | None = None, **ledger: Any) -> Learned:
    """Of `R2`, which has run that long; `R1` was stable before."""
    known = a_ledger({Outcome.STABLE: R1, Outcome.LAUNCHED: R2}, **ledger)
    launched = {**known.entries, "R2": an_entry(R2, Outcome.LAUNCHED, minutes)}
    known = known.model_copy(update={"entries": launched})
    job = a_job(R2, minutes=minutes)
    return learned(example(job, wanted=R2, ledger=known, reading=reading))


# The outcomes of a revision.


def test_a_revision_that_is_declared_for_the_first_time_is_proposed() -> None:
    ledger = learned(example(a_job(), wanted=R2)).ledger
    assert ledger.outcome("R2") is Outcome.PROPOSED
    assert ledger.entries["R2"].times == {Outcome.PROPOSED: NOW}


def test_a_revision_is_launched_once_its_job_is_seen_running() -> None:
    starting = example(a_job(R2, "PENDING"), ledger=a_ledger({Outcome.PROPOSED: R2}))
    running = example(a_job(R2), ledger=a_ledger({Outcome.PROPOSED: R2}))
    assert learned(starting).ledger.outcome("R2") is Outcome.PROPOSED
    assert learned(running).ledger.outcome("R2") is Outcome.LAUNCHED
    assert learned(running).ledger.entries["R2"].running_since == NOW


def test_a_revision_is_stable_only_after_the_time_of_stabilisation() -> None:
    assert probation(14).ledger.outcome("R2") is Outcome.LAUNCHED
    assert probation(15).ledger.outcome("R2") is Outcome.STABLE
    assert probation(15).ledger.stable == "R2"


@pytest.mark.parametrize("unread", [None, a_reading(requests=None), a_reading(dead=None)])
def test_a_revision_that_cannot_be_read_is_not_stable(unread: Reading | None) -> None:
    seen = example(a_job(R2), wanted=R2, ledger=a_ledger({Outcome.LAUNCHED: R2}), reading=unread)
    if unread is None:
        seen = replace(seen, seen=replace(seen.seen, readings={}))
    assert learned(seen).ledger.outcome("R2") is Outcome.LAUNCHED


def test_a_revision_on_probation_is_rejected_at_the_first_clear_breach() -> None:
    found = probation(5, ILL)
    assert found.ledger.outcome("R2") is Outcome.REJECTED
    assert found.ledger.stable == "R1"
    assert "45.0%; at most 5.0%" in found.ledger.entries["R2"].reasons[0]
    assert any("R2 is rejected" in said for said in found.alarming)


def test_a_stable_revision_that_falls_ill_is_not_rejected() -> None:
    assert learned(example(a_job(), reading=ILL)).ledger.outcome("R1") is Outcome.STABLE


def test_a_revision_that_a_person_has_chosen_is_not_rejected() -> None:
    found = probation(5, ILL, override=asked("pin", revision="R2"))
    assert found.ledger.outcome("R2") is Outcome.LAUNCHED


def test_a_revision_that_is_stable_again_is_the_one_to_go_back_to() -> None:
    both = a_ledger({Outcome.STABLE: (R2, R1)})
    assert both.stable == "R2"
    assert learned(example(a_job(), ledger=both)).ledger.stable == "R1"


def test_of_two_stable_jobs_side_by_side_neither_becomes_the_last_one() -> None:
    both = a_ledger({Outcome.STABLE: (R2, R1)}, slots=beside())
    jobs = (a_job(), a_job(R2, id="job-2", slot=Slot.B))
    assert learned(example(*jobs, ledger=both)).ledger.stable == "R2"


def test_a_revision_that_is_declared_with_other_workers_is_the_same_revision() -> None:
    more = revision("R1", workers=Workers(least=2, most=8))
    found = learned(example(a_job(), wanted=more))
    assert list(found.ledger.entries) == ["R1"]
    assert found.ledger.entries["R1"].revision.workers == Workers(least=2, most=8)


def test_a_mark_that_is_set_beforehand_is_not_taken_for_one_that_the_job_has() -> None:
    marked = revision("R1", topology="2")
    found = learned(example(a_job(), wanted=marked))
    assert found.ledger.entries["R1"].revision.topology == "1"


def test_how_long_a_revision_runs_is_counted_anew_when_it_runs_again() -> None:
    stopped = learned(example(a_job(R1, "DRAINED"), ledger=a_ledger(stopped=("job-1",)))).ledger
    assert stopped.entries["R1"].running_since is None


# Jobs that end.


def ended(state: str, outcome: Outcome = Outcome.STABLE, **ledger: Any) -> Learned:
    return learned(example(a_job(R1, state), ledger=a_ledger({outcome: R1}, **ledger)))


@pytest.mark.parametrize(
    ("state", "outcome", "kind"),
    [
        ("FAILED", Outcome.STABLE, FailureKind.CRASH),
        ("FAILED", Outcome.LAUNCHED, FailureKind.RELEASE),
        ("FAILED", Outcome.PROPOSED, FailureKind.RELEASE),
        ("CANCELLED", Outcome.STABLE, FailureKind.STOPPED),
        ("DRAINED", Outcome.LAUNCHED, FailureKind.STOPPED),
        ("DONE", Outcome.STABLE, FailureKind.STOPPED),
    ],
)
def test_an_end_that_nobody_asked_for_is_a_failure_of_its_class(
    state: str, outcome: Outcome, kind: FailureKind
) -> None:
    found = ended(state, outcome)
    assert [failure.kind for failure in found.ledger.failures] == [kind]
    assert found.alarming == (f"weights-live-a (job-1) is {state}, which nobody asked for here",)


@pytest.mark.parametrize("state", ["DRAINED", "CANCELLED", "FAILED"])
def test_an_end_that_was_asked_for_is_none(state: str) -> None:
    assert ended(state, stopped=("job-1",)).ledger.failures == ()


def test_a_job_that_was_updated_has_not_failed() -> None:
    assert ended("UPDATED").ledger.failures == ()


def test_an_end_counts_once() -> None:
    first = ended("FAILED").ledger
    again = Example(replace(example(a_job(R1, "FAILED")).seen, ledger=first))
    assert learned(again).ledger == first


def test_the_ends_of_jobs_that_this_ledger_never_saw_stand_are_no_affair_of_it() -> None:
    seen = example(a_job(R1, "FAILED"))
    rebuilt = seen.seen.ledger.model_copy(update={"jobs": ()})
    assert learned(Example(replace(seen.seen, ledger=rebuilt))).ledger.failures == ()


def test_a_release_that_fails_at_once_is_rejected_where_another_was_stable() -> None:
    known = a_ledger({Outcome.STABLE: R1, Outcome.LAUNCHED: R2})
    found = learned(example(a_job(R2, "FAILED"), wanted=R2, ledger=known))
    assert found.ledger.outcome("R2") is Outcome.REJECTED
    assert ended("FAILED", Outcome.LAUNCHED).ledger.outcome("R1") is Outcome.FAILED


def test_a_revision_of_good_health_has_its_whole_budget_again() -> None:
    crashed = a_ledger(failures=failures(R1, FailureKind.CRASH, 4, 60))
    assert learned(example(a_job(), ledger=crashed)).ledger.failures == ()


# Launches.


def test_a_launch_is_settled_once_its_job_is_seen() -> None:
    found = learned(example(a_job(id="job-2"), ledger=a_ledger(intent=an_intent(R1))))
    assert found.ledger.intent is None
    assert found.ledger.failures == ()


def test_a_job_that_was_there_before_did_not_come_of_the_launch() -> None:
    found = learned(example(a_job(), ledger=a_ledger(intent=an_intent(R1))))
    assert found.ledger.intent is not None


def test_a_launch_that_nobody_sees_in_time_has_failed() -> None:
    found = learned(example(ledger=a_ledger(intent=an_intent(R1, minutes=11))))
    assert found.ledger.intent is None
    assert [failure.kind for failure in found.ledger.failures] == [FailureKind.LAUNCH]
    assert found.alarming == ("no job came of launching R1",)


def an_update(new: str, old: str = "RUNNING") -> Ledger:
    known = a_ledger(intent=an_intent(R2, replaces="job-1"))
    jobs = (a_job(R1, old), a_job(R2, new, id="job-2", minutes=4, replaces="job-1"))
    return learned(example(*jobs, wanted=R2, ledger=known)).ledger


def test_an_update_is_settled_once_the_old_job_has_ended() -> None:
    assert an_update("PENDING").intent is not None
    assert an_update("RUNNING").intent is not None
    assert an_update("RUNNING", "UPDATED").intent is None


def test_a_new_job_that_fails_beside_the_old_one_was_refused_by_the_service() -> None:
    ledger = an_update("FAILED")
    assert ledger.refused == (("R1", "R2"),)
    assert ledger.intent is None
    assert ledger.failures == ()


def test_a_new_job_that_somebody_cancels_was_not_refused() -> None:
    ledger = an_update("CANCELLED")
    assert ledger.refused == ()
    assert [failure.kind for failure in ledger.failures] == [FailureKind.STOPPED]


# What is remembered.


def test_the_readings_of_jobs_that_stand_are_kept() -> None:
    ledger = learned(example(a_job())).ledger
    assert ledger.readings["job-1"][-1] == a_reading(revision="R1")
    assert learned(example(a_job(R1, "DRAINED"), ledger=ledger)).ledger.readings == {}


def test_a_drain_that_somebody_else_began_has_a_deadline_too() -> None:
    assert learned(example(a_job(R1, "DRAINING"))).ledger.drains == {"job-1": NOW}


def test_a_ledger_does_not_grow_for_ever() -> None:
    many = tuple(revision(f"r{number}") for number in range(200))
    known = a_ledger({Outcome.STABLE: R1, Outcome.REJECTED: many})
    gone = tuple(f"gone-{number}" for number in range(500))
    refused = tuple(("R1", each.id) for each in many)
    ledger = known.model_copy(update={"stopped": gone, "refused": refused})
    found = learned(example(a_job(), ledger=ledger)).ledger
    assert len(found.entries) <= 42
    assert "R1" in found.entries
    assert len(found.refused) <= 20
    assert found.stopped == ()


def test_revisions_in_use_are_remembered_however_old() -> None:
    many = {f"r{n}": an_entry(revision(f"r{n}"), Outcome.REJECTED, 1) for n in range(100)}
    old = entries({Outcome.STABLE: R1, Outcome.LAUNCHED: R2})
    known = a_ledger(override=asked("pin", revision="R2"))
    ledger = known.model_copy(update={"entries": {**old, **many}})
    found = learned(example(a_job(R2), ledger=ledger)).ledger
    assert {"R1", "R2"} <= set(found.entries)


def test_the_same_snapshot_adds_nothing_twice() -> None:
    seen = example(a_job(R2), wanted=R2, ledger=a_ledger({Outcome.STABLE: R1}), reading=ILL)
    once = learned(seen)
    again = learned(Example(replace(seen.seen, ledger=once.ledger)))
    assert again == Learned(once.ledger)


def test_a_model_that_is_refreshed_is_judged_from_the_change_on() -> None:
    served = revision("R2", base="R1", refreshes=True)
    job = a_job(served, launched_as="R1")
    before = a_reading(at=ago(1), revision="R1", requests=20_000, dead=9_000)
    known = a_ledger({Outcome.STABLE: R1, Outcome.LAUNCHED: served}, readings={"job-1": (before,)})
    spec = LifecycleSpec(upgrade=UpgradeSpec(model="refresh"), health=SPEC.health)
    now = a_reading(requests=21_000, dead=9_000)
    found = learned(example(job, wanted=served, ledger=known, spec=spec, reading=now))
    assert found.ledger.outcome("R2") is Outcome.LAUNCHED, "those were of the model before"
    assert [reading.revision for reading in found.ledger.readings["job-1"]] == ["R2"]


def test_a_model_that_cannot_be_loaded_is_rejected() -> None:
    assert probation(5, a_reading(models_refused=1)).ledger.outcome("R2") is Outcome.REJECTED
