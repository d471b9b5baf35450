"""Histories of a streaming job under its lifecycle: faults, people and crashes at any moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from beam_jobs.spec.lifecycle import DrainSpec, HealthSpec, LifecycleSpec, UpgradeSpec
from nightstream.lifecycle.actions import Ask, Nothing
from nightstream.lifecycle.ledger import Outcome, Override
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.lifecycle.simulated_dataflow import (
    Crash,
    Faults,
    World,
    revision,
    with_workers,
)

_ROUNDS_TO_CONVERGE = 120


class Histories(RuleBasedStateMachine):
    """Whatever happens: no two jobs on a subscription, no action doubled, and in the end what was
    declared."""

    @initialize(
        strategy=st.sampled_from(["update", "drain_and_replace", "parallel"]),
        after=st.sampled_from(["wait", "cancel_and_seek"]),
    )
    def begin(
        self,
        strategy: Literal["update", "drain_and_replace", "parallel"],
        after: Literal["wait", "cancel_and_seek"],
    ) -> None:
        spec = LifecycleSpec(
            upgrade=UpgradeSpec(strategy=strategy),
            drain=DrainSpec(after_deadline=after),
            health=HealthSpec(window_seconds=60, stabilisation_seconds=180),
        )
        self.world = World(spec)
        self.number = 1

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.world.pass_(60 * minutes)

    @rule(rounds=st.integers(1, 6))
    def rounds(self, rounds: int) -> None:
        for _ in range(rounds):
            self.world.round()
            self.world.pass_(60)

    @rule(where=st.sampled_from(["before", "after"]))
    def airflow_is_killed(self, where: str) -> None:
        try:
            self.world.round(crash=where)
        except Crash:
            self.world.pass_(30)

    @rule(
        topology=st.sampled_from(["1", "1", "2"]),
        model=st.sampled_from(["v1", "v2"]),
        base=st.sampled_from([0, 901, 901]),
        ill=st.booleans(),
        broken=st.booleans(),
    )
    def spec_is_edited(self, topology: str, model: str, base: int, ill: bool, broken: bool) -> None:
        self.number += 1
        self.world.wanted = revision(self.number, topology=topology, model=model, base=base)
        if ill:
            self.world.ill.add(self.world.wanted.id)
        elif broken:
            self.world.broken.add(self.world.wanted.id)

    @rule(workers=st.integers(1, 9))
    def workers_are_edited(self, workers: int) -> None:
        if self.world.wanted:
            self.world.wanted = with_workers(self.world.wanted, workers)

    @rule()
    def spec_is_made_invalid(self) -> None:
        self.world.wanted = None

    @rule(state=st.sampled_from(["FAILED", "CANCELLING", "DRAINING"]))
    def job_is_struck(self, state: str) -> None:
        self.world.strike(state)

    @rule(kind=st.sampled_from(["suspend", "cancel", "lift", "pin", "redeploy"]))
    def person_asks(self, kind: str) -> None:
        ledger, override = self.world.ledger, None
        running = self.world.running()
        if kind == "pin" and ledger.stable:
            override = Override(kind="pin", revision=ledger.stable, by="Ada", at=self.world.now)
        elif kind == "redeploy" and running:
            override = Override(kind="redeploy", job_id=running[0].id, by="Ada", at=self.world.now)
        elif kind in ("suspend", "cancel"):
            override = Override.model_validate({"kind": kind, "by": "Ada", "at": self.world.now})
        self.world.ledger = ledger.model_copy(update={"override": override})

    @rule(
        delay=st.integers(0, 240),
        drains=st.booleans(),
        updates=st.booleans(),
        launches=st.booleans(),
        readings=st.booleans(),
    )
    def faults_change(
        self, delay: int, drains: bool, updates: bool, launches: bool, readings: bool
    ) -> None:
        self.world.faults = Faults(timedelta(seconds=delay), drains, updates, launches, readings)

    @invariant()
    def no_launch_met_a_job_that_stood(self) -> None:
        if hasattr(self, "world"):
            assert self.world.doubled == []

    @invariant()
    def one_job_reads_a_subscription(self) -> None:
        if hasattr(self, "world"):
            for slot in Slot:
                replaced = {job.replaces for job in self.world.jobs if job.active}
                readers = [j for j in self.world.readers(slot) if j.id not in replaced]
                assert len(readers) <= 1, readers

    @invariant()
    def the_last_stable_revision_is_kept(self) -> None:
        if hasattr(self, "world") and (stable := self.world.ledger.stable):
            assert self.world.ledger.outcome(stable) is Outcome.STABLE

    def teardown(self) -> None:
        """Faults stop: what is declared comes to be."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.faults = Faults()
        world.ledger = world.ledger.model_copy(update={"override": None})
        sound = world.wanted
        if sound is None or sound.id in world.ill | world.broken:
            self.number += 1
            sound = world.wanted = revision(self.number)
        for _ in range(_ROUNDS_TO_CONVERGE):
            decision = world.round()
            if isinstance(decision.action, Ask):
                self._person_mends()
            world.pass_(120)
            if isinstance(decision.action, Nothing):
                break
        [job] = world.running()
        wanted = world.ledger.entries[sound.id]
        assert job.revision == sound.id or wanted.outcome is Outcome.REJECTED, decision
        if job.revision == sound.id:
            assert job.workers == sound.workers
        assert [j for j in world.jobs if j.active] == [job]
        assert world.subscriptions == {world.ledger.slots[job.slot].subscription}

    def _person_mends(self) -> None:
        """What the question asks for."""
        world = self.world
        world.ledger = world.ledger.model_copy(update={"failures": ()})
        for job in world.jobs:
            if job.state == "DRAINING":
                job.state = "DRAINED"


def test_every_history_ends_as_declared() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=400,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
