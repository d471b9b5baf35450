"""What a person hears of, and what is noted where an action was refused."""

from __future__ import annotations

from datetime import timedelta

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.lifecycle.actions import (
    Wait,
)
from nightstream.lifecycle.decision import Decision, decide, refused
from nightstream.lifecycle.ledger import FailureKind, Ledger
from nightstream.lifecycle.table.examples import (
    NOW,
    TIMING,
    a_job,
    a_ledger,
    a_reading,
    example,
)


def alerts(ledger: Ledger, hours: float = 0) -> tuple[Decision, tuple[str, ...]]:
    seen = example(a_job(), wanted=None, ledger=ledger)
    decision = decide(seen.seen, seen.spec, TIMING, NOW + timedelta(hours=hours))
    return decision, decision.alerts


def test_a_question_is_asked_once_and_again_after_six_hours() -> None:
    first, heard = alerts(a_ledger())
    assert len(heard) == 1
    second, heard = alerts(first.after, hours=5.9)
    assert heard == ()
    _, heard = alerts(second.after, hours=6)
    assert len(heard) == 1


def test_a_question_that_comes_up_again_once_it_was_answered_is_asked_again() -> None:
    first, _ = alerts(a_ledger())
    answered = example(a_job(), ledger=first.after).decided()
    assert answered.after.question is None
    assert len(alerts(answered.after)[1]) == 1


def test_waiting_answers_no_question() -> None:
    first, _ = alerts(a_ledger())
    unread = first.after.model_copy(update={"readings": {}})
    waited = example(a_job(), ledger=unread, reading=a_reading(requests=None)).decided()
    assert waited.action == Wait()
    assert alerts(waited.after)[1] == ()


def test_an_alert_that_nobody_may_have_heard_is_repeated() -> None:
    first, heard = alerts(a_ledger())
    assert first.before.untold == heard
    assert first.after.untold == ()
    killed_before_it_was_sent = alerts(first.before, hours=1)[1]
    assert killed_before_it_was_sent == heard


def test_a_launch_that_was_refused_is_tried_again_with_back_off() -> None:
    decision = example().decided()
    ledger = refused(decision, "no such subscription", NOW)
    assert ledger.intent is None
    assert [(f.kind, f.reason) for f in ledger.failures] == [
        (FailureKind.LAUNCH, "no such subscription")
    ]
    later = example(ledger=ledger).decided()
    assert later.action == Wait()
    assert "no such subscription" in later.reasons[0]


def test_a_drain_that_was_refused_does_not_excuse_the_job_from_failing() -> None:
    decision = example(a_job(), spec=LifecycleSpec(state="suspended")).decided()
    assert decision.before.stopped == ("job-1",)
    assert refused(decision, "the job is FAILED", NOW).stopped == ()


def test_an_action_that_was_refused_is_told_once() -> None:
    decision = example().decided()
    first = refused(decision, "no such subscription", NOW)
    assert first.untold == ("`launch` was refused: no such subscription",)
    again = example(ledger=first.model_copy(update={"failures": ()})).decided()
    assert refused(again, "no such subscription", NOW + timedelta(hours=1)).untold == ()
    late = refused(again, "no such subscription", NOW + timedelta(hours=7))
    assert late.untold == first.untold


def test_nobody_hears_of_an_action_that_was_overtaken() -> None:
    ledger = refused(example().decided(), "a job is there", NOW, overtaken=True)
    assert ledger.untold == ()
    assert ledger.intent is None
    assert ledger.failures == ()
