"""A spec that names another subscription while a job runs: the old job is drained first."""

from __future__ import annotations

from typing import Literal

import pytest

from beam_jobs.spec.lifecycle import HealthSpec, LifecycleSpec, UpgradeSpec
from nightstream.lifecycle.actions import Drain, Launch, Nothing
from nightstream.lifecycle.revisions import Place
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.lifecycle.simulated_dataflow import World, revision


def a_world(strategy: Literal["update", "drain_and_replace", "parallel"]) -> World:
    spec = LifecycleSpec(
        upgrade=UpgradeSpec(strategy=strategy),
        health=HealthSpec(window_seconds=60, stabilisation_seconds=60),
    )
    return World(spec)


def settle(world: World) -> None:
    for _ in range(40):
        if isinstance(world.round().action, Nothing):
            return
        world.pass_(60)
    raise AssertionError(f"it does not settle: {world.acted[-3:]}")


@pytest.mark.parametrize("strategy", ["update", "drain_and_replace", "parallel"])
def test_the_old_job_is_drained_before_the_new_subscription_is_read(
    strategy: Literal["update", "drain_and_replace", "parallel"],
) -> None:
    world = a_world(strategy)
    settle(world)
    [old] = world.running()
    world.subscribe("orders")
    world.wanted = revision(2, subscription="orders")
    world.acted.clear()
    settle(world)
    actions = [each for each in world.acted if isinstance(each, Drain | Launch)]
    assert actions == [Drain(old.id), Launch(Slot.A, world.wanted.id)]
    assert world.ledger.slots[Slot.A].subscription == "orders"


def test_after_an_upgrade_side_by_side_the_new_subscription_is_read_in_the_first_slot() -> None:
    world = a_world("parallel")
    settle(world)
    world.wanted = revision(2)
    settle(world)
    assert world.ledger.active is Slot.B
    assert world.ledger.slots[Slot.B].subscription == "requests-b"
    world.subscribe("orders")
    world.wanted = revision(3, subscription="orders")
    settle(world)
    [job] = world.running()
    assert (job.slot, world.ledger.active) == (Slot.A, Slot.A)
    assert {slot: s.subscription for slot, s in world.ledger.slots.items()} == {Slot.A: "orders"}


def test_an_open_second_slot_is_closed_when_the_subscription_changes() -> None:
    world = a_world("parallel")
    settle(world)
    world.wanted = revision(2)
    while not world.ledger.slots.get(Slot.B):
        world.round()
        world.pass_(60)
    world.subscribe("orders")
    world.wanted = revision(3, subscription="orders")
    settle(world)
    [job] = world.running()
    assert job.slot is Slot.A
    assert world.subscriptions == {"requests", "orders"}


def test_two_upgrades_side_by_side_come_back_to_the_subscription_of_the_spec() -> None:
    world = a_world("parallel")
    for number in (1, 2, 3):
        world.wanted = revision(number)
        settle(world)
    assert world.ledger.active is Slot.A
    assert world.subscriptions == {"requests"}


def test_the_slots_of_a_place_never_share_a_subscription() -> None:
    place = Place(project="p", region="r", topic="t", subscription="projects/p/subscriptions/x-b")
    assert place.subscription_of(Slot.A) == "projects/p/subscriptions/x-b"
    assert place.subscription_of(Slot.B) == "projects/p/subscriptions/x-b-b"
