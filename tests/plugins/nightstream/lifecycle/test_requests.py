"""What a person asks for holds for all later rounds, until it is lifted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nightstream.lifecycle.actions import (
    Action,
    Cancel,
    Drain,
    Launch,
    Nothing,
    Update,
    Wait,
)
from nightstream.lifecycle.ledger import FailureKind, Ledger, Outcome
from nightstream.lifecycle.requests import Kind, Request, RequestError, with_request
from nightstream.lifecycle.revisions import Revision
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.lifecycle.table.examples import (
    NOW,
    R1,
    R2,
    Example,
    a_job,
    a_ledger,
    ago,
    an_entry,
    asked,
    example,
    failures,
    revision,
)
from nightstream.streaming.naming import Slot

BOTH = {Outcome.STABLE: (R1, R2)}


def after(seen: Example, kind: Kind, name: str | None = None) -> Example:
    """The situation once that was asked for."""
    request = Request(kind, by="Ada", revision=name)
    return Example(with_request(seen.seen, request, NOW), seen.spec)


def next_round(ledger: Ledger, *jobs: SeenJob, wanted: Revision = R1) -> Action:
    return example(*jobs, wanted=wanted, ledger=ledger).decided().action


def test_reconcile_asks_for_nothing_beyond_the_round() -> None:
    seen = example(a_job())
    assert after(seen, Kind.RECONCILE) == seen


def test_suspend_drains_the_job_and_starts_none() -> None:
    first = after(example(a_job()), Kind.SUSPEND).decided()
    assert first.action == Drain("job-1")
    assert next_round(first.after, a_job(R1, "DRAINED")) == Nothing()


def test_cancel_cancels_the_job_and_starts_none() -> None:
    first = after(example(a_job()), Kind.CANCEL).decided()
    assert first.action == Cancel("job-1")
    assert next_round(first.after, a_job(R1, "CANCELLED")) == Nothing()


@pytest.mark.parametrize("kind", ["suspend", "cancel", "pin", "roll_back", "redeploy"])
def test_resume_lifts_whatever_was_asked_for_before(kind: str) -> None:
    ledger = a_ledger(BOTH, override=asked(kind, revision="R2"))
    assert after(example(ledger=ledger), Kind.RESUME).decided().action == Launch(Slot.A, "R1")


def test_a_pin_keeps_the_revision_whatever_is_declared() -> None:
    pinned = after(example(a_job(R2), ledger=a_ledger(BOTH)), Kind.PIN, "R2").decided()
    assert pinned.action == Nothing()
    declared = revision("R3")
    assert next_round(pinned.after, a_job(R2), wanted=declared) == Nothing()


def test_a_pin_without_a_revision_keeps_the_one_that_runs() -> None:
    pinned = after(example(a_job(R2), ledger=a_ledger(BOTH)), Kind.PIN)
    assert pinned.seen.ledger.chosen == "R2"


def test_a_pinned_revision_that_is_ill_is_not_rolled_back_but_asked_about() -> None:
    ledger = a_ledger({Outcome.STABLE: R1, Outcome.REJECTED: R2})
    pinned = after(example(a_job(), ledger=ledger), Kind.PIN, "R2")
    assert isinstance(pinned.decided().action, Update)
    assert pinned.seen.ledger.outcome("R2") is Outcome.PROPOSED, "it is tried again"


def test_a_roll_back_goes_to_the_revision_that_was_stable_last_before() -> None:
    known = a_ledger(BOTH).model_copy(
        update={"entries": {"R1": an_entry(R1, Outcome.STABLE), **_older("R0", "R2")}}
    )
    rolled = after(example(a_job(), ledger=known), Kind.ROLL_BACK)
    assert rolled.seen.ledger.chosen == "R2"
    assert rolled.decided().action == Update(Slot.A, "R2", "job-1")


def _older(*names: str) -> dict[str, object]:
    """Entries that were stable, the last named latest."""
    return {
        name: an_entry(revision(name), Outcome.STABLE, 600 - place)
        for place, name in enumerate(names)
    }


def test_a_roll_back_rejects_what_it_leaves_and_is_stable_no_more() -> None:
    rolled = after(example(a_job(), ledger=a_ledger(BOTH)), Kind.ROLL_BACK, "R2").seen.ledger
    assert rolled.outcome("R1") is Outcome.REJECTED
    assert rolled.entries["R1"].reasons == ("Ada rolled it back to R2",)
    assert rolled.stable == "R2"


def test_a_roll_back_ends_as_soon_as_another_revision_is_declared() -> None:
    rolled = after(example(a_job(), ledger=a_ledger(BOTH)), Kind.ROLL_BACK, "R2").decided().after
    rolled = rolled.model_copy(update={"intent": None})
    assert next_round(rolled, a_job(R2)) == Wait(), "it has just begun"
    assert next_round(rolled, a_job(R2), wanted=revision("R3")) == Update(Slot.A, "R3", "job-1")


def test_a_roll_back_that_is_lifted_tries_again_what_it_had_rejected() -> None:
    rolled = after(example(a_job(), ledger=a_ledger(BOTH)), Kind.ROLL_BACK, "R2")
    later = Request(Kind.RESUME, by="Ada")
    resumed = with_request(rolled.seen, later, NOW + timedelta(minutes=1)).ledger
    assert resumed.outcome("R1") is Outcome.PROPOSED


def test_what_health_has_rejected_stays_rejected_when_a_roll_back_is_lifted() -> None:
    ledger = a_ledger({Outcome.STABLE: R2, Outcome.REJECTED: R1})
    rolled = after(example(a_job(), ledger=ledger), Kind.ROLL_BACK, "R2")
    later = Request(Kind.RESUME, by="Ada")
    resumed = with_request(rolled.seen, later, NOW + timedelta(minutes=1)).ledger
    assert resumed.outcome("R1") is Outcome.REJECTED


def test_nobody_rolls_back_to_what_is_declared() -> None:
    with pytest.raises(RequestError, match=r"is declared\. Remedy"):
        after(example(a_job()), Kind.ROLL_BACK, "R1")


def test_without_an_earlier_revision_there_is_nothing_to_roll_back_to() -> None:
    with pytest.raises(RequestError, match="Remedy: choose one of the ledger's: R1"):
        after(example(a_job()), Kind.ROLL_BACK)


def test_the_first_digits_name_a_revision() -> None:
    long = revision("abcdef")
    seen = example(a_job(), ledger=a_ledger({Outcome.STABLE: (R1, long)}))
    assert after(seen, Kind.PIN, "abcd").seen.ledger.chosen == "abcdef"


@pytest.mark.parametrize("name", ["abc", "x"])
def test_digits_that_name_several_revisions_or_none_are_refused(name: str) -> None:
    known = a_ledger({Outcome.STABLE: (revision("abc1"), revision("abc2"))})
    with pytest.raises(RequestError, match=r"names (2|no) revisions\. Remedy: choose"):
        after(example(ledger=known), Kind.PIN, name)


def test_redeploy_drains_the_job_and_launches_what_is_declared_anew() -> None:
    first = after(example(a_job()), Kind.REDEPLOY).decided()
    assert first.action == Drain("job-1")
    assert next_round(first.after, a_job(R1, "DRAINED")) == Launch(Slot.A, "R1")


def test_redeploy_forgets_what_spoke_against_what_is_declared() -> None:
    ledger = a_ledger(
        {Outcome.STABLE: R1, Outcome.REJECTED: R2},
        failures=failures(R2, FailureKind.LAUNCH, 6, 1),
        refused=(("R1", "R2"),),
    )
    again = after(example(wanted=R2, ledger=ledger), Kind.REDEPLOY)
    assert again.decided().action == Launch(Slot.A, "R2")
    assert again.seen.ledger.refused == ()


def test_redeploy_replaces_only_the_job_that_runs_now() -> None:
    ledger = a_ledger(override=asked("redeploy", job_id="job-1"))
    assert next_round(ledger, a_job(id="job-2")) == Nothing()


def test_redeploy_is_refused_where_nothing_could_be_launched_afterwards() -> None:
    with pytest.raises(RequestError, match=r"topic is missing\. Remedy: mend that first"):
        after(example(a_job(), wanted=None), Kind.REDEPLOY)


def test_a_later_request_takes_the_place_of_an_earlier_one() -> None:
    ledger = a_ledger(override=asked("suspend"))
    assert after(example(a_job(), ledger=ledger), Kind.PIN).decided().action == Nothing()


def test_no_request_is_obeyed_twice_nor_after_a_later_one() -> None:
    seen = example(a_job(), ledger=a_ledger(obeyed_at=NOW))
    for minutes in (0, 5):
        with pytest.raises(RequestError, match=r"has been obeyed\. Remedy: trigger it anew"):
            with_request(seen.seen, Request(Kind.SUSPEND, by="Ada"), ago(minutes))


def test_the_ledger_says_who_asked_for_what_and_when() -> None:
    override = after(example(a_job()), Kind.SUSPEND).seen.ledger.override
    assert override is not None
    assert (override.kind, override.by, override.at) == ("suspend", "Ada", NOW)
