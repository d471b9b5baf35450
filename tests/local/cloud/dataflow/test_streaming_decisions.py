"""The pure cores of streaming jobs: who may replace whom, retries, leases, acknowledgements."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from local.cloud.dataflow import states
from local.cloud.dataflow.folder import Status
from local.cloud.dataflow.replacement import check_replacement
from local.cloud.dataflow.streaming import pause_before_restart
from local.cloud.dataflow.worker.commands import DRAIN, GO, HAND_OVER, Commands
from local.cloud.dataflow.worker.streaming.leases import Leases
from local.cloud.dataflow.worker.streaming.ledger import Ledger
from local.cloud.dataflow.worker.streaming.retries import LONGEST_PAUSE, Retries
from local.cloud.http import ApiError

OLD = {"id": "old", "name": "live", "type": "JOB_TYPE_STREAMING"}
NEW = {"name": "live", "type": "JOB_TYPE_STREAMING", "replaceJobId": "old"}


def test_a_running_streaming_job_may_be_replaced_by_one_of_its_name() -> None:
    check_replacement(OLD, states.RUNNING, NEW, [OLD])


@pytest.mark.parametrize(
    ("old", "state", "new", "active", "code", "reason"),
    [
        (None, states.FAILED, NEW, [], 404, "could not be found"),
        (OLD, states.DRAINING, NEW, [OLD], 400, "not running (it is DRAINING)"),
        (OLD, states.CANCELLED, NEW, [], 400, "not running (it is CANCELLED)"),
        (OLD, states.RUNNING, {**NEW, "name": "other"}, [OLD], 400, "is named live, not other"),
        (OLD, states.RUNNING, {**NEW, "type": "JOB_TYPE_BATCH"}, [OLD], 400, "only streaming"),
        (OLD, states.RUNNING, NEW, [OLD, {**NEW, "id": "third"}], 400, "being updated already"),
    ],
)
def test_another_update_is_refused(
    old: dict[str, Any] | None,
    state: str,
    new: dict[str, Any],
    active: list[dict[str, Any]],
    code: int,
    reason: str,
) -> None:
    with pytest.raises(ApiError) as refused:
        check_replacement(old, state, new, active)
    assert refused.value.code == code
    assert reason in refused.value.message


def test_a_job_shows_that_it_is_drained_until_it_is_cancelled() -> None:
    running = Status(states.RUNNING, "1", "1")
    for requested, shown in [
        (states.DRAINED, states.DRAINING),
        (states.CANCELLED, states.CANCELLING),
    ]:
        status = states.observed(running, Status(requested, "2"), supervised=True)
        assert status == Status(shown, "2", "1")
    assert states.to_request(states.RUNNING, states.DRAINING) == states.DRAINED
    assert states.to_request(states.DRAINING, states.DRAINED) is None
    assert states.to_request(states.DRAINING, states.CANCELLED) == states.CANCELLED
    assert states.settled(running, Status(states.DRAINED, "2"), "3").state == states.DRAINED


def test_the_first_restart_comes_at_once_and_later_ones_wait_longer() -> None:
    pauses = [pause_before_restart(short_lives) for short_lives in range(9)]
    assert pauses[:2] == [0, 0]
    assert pauses == sorted(pauses)
    assert 0 < pauses[2] <= pauses[-1] <= 5


@pytest.mark.parametrize("ending", [DRAIN, HAND_OVER])
def test_an_end_that_was_asked_for_early_is_not_forgotten(ending: str) -> None:
    heard: list[str] = []
    commands = Commands()
    commands.hear(ending)
    commands.on_end(heard.append)
    commands.hear(GO)
    commands.await_go()
    assert heard == [ending]


@given(some.integers(2, 600), some.data())
def test_a_bad_message_is_soon_alone_and_the_good_ones_are_done(count: int, data: Any) -> None:
    bad = data.draw(some.integers(0, count - 1))
    retries, now, done, rounds = Retries(), 0.0, set(), 0
    retries.add(list(range(count)), 0, 0, now)
    while len(done) < count - 1:
        now += 0.1
        rounds += 1
        while retry := retries.take(now):
            if bad in retry.messages:
                failures = retry.failures + 1 if len(retry.messages) == 1 else 0
                retries.add(retry.messages, 0, failures, now)
            else:
                done |= set(retry.messages)
    assert rounds <= count.bit_length() + 2
    assert retries.messages == 1


def test_a_message_that_fails_alone_waits_ever_longer() -> None:
    retries = Retries()
    for failures in (1, 5, 40):
        retries.add(["bad"], 0, failures, now=0)
    assert retries.take(0.05) is None
    taken = [retries.take(LONGEST_PAUSE) for _ in range(3)]
    assert [retry.due for retry in taken if retry] == [0.1, 1.6, LONGEST_PAUSE]


def test_leases_are_renewed_when_due_and_let_go_once() -> None:
    leases = Leases()
    leases.hold(["a", "b"], now=0)
    leases.hold(["c"], now=5)
    assert leases.due(before=3, now=6) == ["a", "b"]
    assert leases.due(before=3, now=6) == []
    assert leases.release(["b", "c", "x"], 0) == ["b", "c"]
    assert leases.release(["b"], 0) == []


def test_ids_of_a_lost_connection_are_worth_nothing() -> None:
    leases = Leases()
    leases.hold(["a"], now=0)
    assert leases.end_generation() == ["a"]
    leases.hold(["a"], now=1)
    assert leases.release(["a"], 0) == []
    assert leases.release(["a"], 1) == ["a"]


def test_batches_older_than_anything_open_are_done_with() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.add("first")
    assert ledger.settle({"w1"}) == []
    ledger.add("second")
    assert ledger.settle({"w1", "w2"}) == []
    assert ledger.settle({"w2"}) == ["first"]
    ledger.add("third")
    assert ledger.settle(set()) == ["second", "third"]
    assert not ledger.waiting


def test_what_a_closed_window_passed_on_keeps_its_age() -> None:
    ledger: Ledger[str] = Ledger()
    ledger.add("first")
    ledger.settle({"w1"})
    ledger.add("second")
    # What was in w1 may be in `next` now, which opened later.
    assert ledger.settle({"next"}) == []
    assert ledger.settle(set()) == ["first", "second"]
