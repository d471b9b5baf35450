"""What a seed says, and that a process dies exactly where it is to die."""

from __future__ import annotations

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from beam_jobs.objects.gcs import GcsObjects
from local.cloud.faults.fault import fault_of
from tests.support.faults.borders import Border, Killed, When, dying_at
from tests.support.faults.history import STEPS, history_of
from tests.support.faults.stack_history import Point, Victim, stack_history
from tests.support.local_cloud import PROJECT

CALLS = {"await_input": 1, "resolve": 10, "score": 5, "audit": 6, "publish": 16, "record": 8}
SEEDS = range(200)


def test_a_seed_always_says_the_same() -> None:
    assert [history_of(seed, CALLS) for seed in SEEDS] == [
        history_of(seed, CALLS) for seed in SEEDS
    ]
    assert [stack_history(seed) for seed in SEEDS] == [stack_history(seed) for seed in SEEDS]


def test_the_seeds_kill_every_step_at_every_call_of_publish_before_and_after() -> None:
    kills = {
        kill for seed in SEEDS for part in history_of(seed, CALLS).parts for kill in part.kills
    }
    assert {kill.step for kill in kills} == set(STEPS)
    publish = {kill.border for kill in kills if kill.step == "publish"}
    beyond = CALLS["publish"] + 1
    assert publish == {Border(call, when) for call in range(1, beyond + 1) for when in When}


def test_every_fault_of_a_history_is_one_that_the_local_cloud_knows() -> None:
    faults = [fault for seed in SEEDS for fault in history_of(seed, CALLS).faults]
    kinds = {fault_of(dict(fault)).kind for fault in faults}
    assert kinds == {"error", "reset", "latency", "stale", "crash", "hang"}
    assert all(fault["times"] <= 3 for fault in faults)


def test_seven_seeds_in_a_row_kill_each_process_and_forty_strike_at_each_point() -> None:
    for first in range(33):
        victims = {s.victim for seed in range(7) for s in stack_history(first + seed).strikes}
        assert victims == set(Victim)
    assert {s.point for seed in range(40) for s in stack_history(seed).strikes} == set(Point)


@pytest.mark.parametrize(("when", "done"), [(When.BEFORE, False), (When.AFTER, True)])
def test_a_process_dies_before_its_call_is_sent_or_after_it_was_carried_out(
    bucket: str, when: When, done: bool
) -> None:
    objects = GcsObjects(storage.Client(PROJECT, AnonymousCredentials()))
    with dying_at(Border(2, when)) as calls:
        objects.put(f"gs://{bucket}/first", b"1")
        with pytest.raises(Killed):
            objects.put(f"gs://{bucket}/second", b"2")
        with pytest.raises(Killed):
            objects.put(f"gs://{bucket}/from a finally", b"3")
    names = [item.uri.rpartition("/")[2] for item in objects.list(f"gs://{bucket}/")]
    assert names == (["first", "second"] if done else ["first"])
    assert calls.dead
