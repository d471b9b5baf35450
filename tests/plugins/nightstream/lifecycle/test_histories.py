"""Histories of a streaming job under its lifecycle: faults, people and crashes at any moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from beam_jobs.spec.lifecycle import DrainSpec, HealthSpec, LifecycleSpec, UpgradeSpec
from nightstream.lifecycle.actions import Ask, Nothing, Wait
from nightstream.lifecycle.decision import Decision
from nightstream.lifecycle.ledger import Outcome
from nightstream.lifecycle.requests import Kind, Request, RequestError
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.lifecycle.simulated_dataflow import (
    Faults,
    Overtaken,
    World,
    revision,
    with_workers,
)

Strategy = Literal["update", "drain_and_replace", "parallel"]
Model = Literal["update", "refresh", "hold"]
AfterDeadline = Literal["wait", "cancel_and_seek"]

_ROUNDS_TO_CONVERGE = 80
"""Of two minutes each. The longest way there: a launch that nobody has seen (5), a drain past its
deadline (15) and its cancellation, the longest wait before a restart (15), a second slot that is
opened, proves itself and takes over, or is rejected and closed (20), another drain (15)."""


class Histories(RuleBasedStateMachine):
    """Whatever happens: no two jobs on a subscription, no action repeated whose outcome is unknown,
    no request lost, and in the end what was declared."""

    world: World

    @initialize(
        strategy=st.sampled_from(["update", "drain_and_replace", "parallel"]),
        after=st.sampled_from(["wait", "cancel_and_seek"]),
        model=st.sampled_from(["update", "refresh", "hold"]),
        acknowledges_early=st.booleans(),
    )
    def begin(
        self, strategy: Strategy, after: AfterDeadline, model: Model, acknowledges_early: bool
    ) -> None:
        self.model = model
        self.world = World(_spec(strategy, after, model), acknowledges_early)
        self.number = 1

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.world.pass_(60 * minutes)

    @rule(rounds=st.integers(1, 6))
    def rounds(self, rounds: int) -> None:
        for _ in range(rounds):
            self._round()
            self.world.pass_(60)

    @rule(rounds=st.integers(10, 40))
    def drains_hang_for_long(self, rounds: int) -> None:
        self.world.faults.drains_hang = True
        for _ in range(rounds):
            self._round()
            self.world.pass_(120)

    def _round(self) -> Decision:
        standing = self.world.observe().standing()
        decision = self.world.round()
        if self.world.faults.states_unknown and standing:
            assert isinstance(decision.action, Wait), decision
        return decision

    @rule(after=st.integers(1, 3))
    def airflow_is_killed(self, after: int) -> None:
        """Between any two calls."""
        steps = self.world.steps()
        for _ in range(after):
            next(steps)
        self.world.pass_(30)

    @rule(after=st.integers(1, 3))
    def another_airflow_comes_between(self, after: int) -> None:
        steps = self.world.steps()
        for _ in range(after):
            next(steps)
        self.world.round()
        with pytest.raises(Overtaken):
            list(steps)

    @rule(
        topology=st.sampled_from(["1", "1", "2"]),
        ill=st.booleans(),
        broken=st.booleans(),
    )
    def spec_is_edited(self, topology: str, ill: bool, broken: bool) -> None:
        self._declare(base=self.number + 1, topology=topology)
        self._fault(ill, broken)

    @rule(model=st.sampled_from(["v1", "v2", "v3"]), ill=st.booleans())
    def model_is_moved(self, model: str, ill: bool) -> None:
        self._declare(base=901, model=model)
        self._fault(ill, False)

    def _declare(self, base: int, topology: str = "1", model: str = "v1") -> None:
        self.number += 1
        self.world.wanted = revision(
            self.number,
            topology=topology,
            model=model,
            base=base,
            refreshes=self.model == "refresh",
        )

    def _fault(self, ill: bool, broken: bool) -> None:
        assert self.world.wanted is not None
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

    @rule(
        strategy=st.sampled_from(["update", "drain_and_replace", "parallel"]),
        after=st.sampled_from(["wait", "cancel_and_seek"]),
        state=st.sampled_from(["running", "running", "suspended"]),
    )
    def lifecycle_is_edited(
        self, strategy: Strategy, after: AfterDeadline, state: Literal["running", "suspended"]
    ) -> None:
        self.world.spec = _spec(strategy, after, self.model, state)

    @rule(state=st.sampled_from(["FAILED", "CANCELLING", "DRAINING"]))
    def job_is_struck(self, state: str) -> None:
        self.world.strike(state)

    @rule(kind=st.sampled_from(Kind), which=st.integers(0, 9), named=st.booleans())
    def person_asks(self, kind: Kind, which: int, named: bool) -> None:
        known = list(self.world.ledger.entries)
        name = known[which % len(known)] if known and named else None
        try:
            self.world.round(Request(kind, by="Ada", revision=name))
        except RequestError:
            return

    @rule(
        delay=st.integers(0, 240),
        drains=st.booleans(),
        updates=st.booleans(),
        launches=st.booleans(),
        readings=st.booleans(),
        states=st.sampled_from([False, False, False, True]),
    )
    def faults_change(
        self, delay: int, drains: bool, updates: bool, launches: bool, readings: bool, states: bool
    ) -> None:
        lists = timedelta(seconds=delay)
        self.world.faults = Faults(lists, drains, updates, launches, readings, states)

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
        """Faults stop: what is declared comes to be, and every request has been answered."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.faults = Faults()
        world.spec = world.spec.model_copy(update={"state": "running"})
        if world.wanted is None or world.wanted.id in world.ill | world.broken:
            self._declare(base=self.number + 1)
        decision = self._converge()
        self._runs_as_declared(decision)
        until = world.now
        world.pass_(120)
        assert not world.requests.lost(until)

    def _converge(self) -> Decision:
        self.world.pass_(120)
        decision = self.world.round(Request(Kind.RESUME, by="Ada"))
        for _ in range(_ROUNDS_TO_CONVERGE):
            self.world.pass_(120)
            asked = isinstance(decision.action, Ask) and "`redeploy`" in decision.reasons[0]
            request = Request(Kind.REDEPLOY, by="Ada") if asked else None
            decision = self.world.round(request)
            if isinstance(decision.action, Nothing):
                return decision
        raise AssertionError(f"it does not converge: {decision.reasons}")

    def _runs_as_declared(self, decision: Decision) -> None:
        world, wanted = self.world, self.world.wanted
        assert wanted is not None
        [job] = world.running()
        running = world.ledger.entries[job.revision].revision
        held = self.model == "hold" and running.base == wanted.base
        rejected = world.ledger.outcome(wanted.id) is Outcome.REJECTED
        assert job.revision == wanted.id or held or rejected, decision
        assert job.workers == wanted.workers
        assert [each for each in world.jobs if each.active] == [job]
        assert world.subscriptions == {world.ledger.slots[job.slot].subscription}


def _spec(
    strategy: Strategy,
    after: AfterDeadline,
    model: Model,
    state: Literal["running", "suspended"] = "running",
) -> LifecycleSpec:
    return LifecycleSpec(
        state=state,
        upgrade=UpgradeSpec(strategy=strategy, model=model),
        drain=DrainSpec(after_deadline=after),
        health=HealthSpec(window_seconds=60, stabilisation_seconds=180),
    )


def _run(histories: int, *, shrinks: bool = True) -> None:
    phases = [phase for phase in Phase if shrinks or phase is not Phase.shrink]
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=histories,
            stateful_step_count=40,
            deadline=None,
            phases=phases,
            derandomize=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_history_ends_as_declared() -> None:
    _run(300)


@pytest.mark.long
def test_every_one_of_thousands_of_histories_ends_as_declared() -> None:
    _run(10_000, shrinks=False)
