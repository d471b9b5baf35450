"""Histories of nights on the whole stack: processes are killed at the points of a night, and the
cloud fails, as a seed says; then the DAG is let finish, and the books must be those of a night that
nothing happened to.

Some nights go on at a time, so that a kill of what they share hits all of them.
NIGHTSTREAM_SEED=<seed> reproduces one history.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from examples.babyweight.nights import make_night
from local.stack import Stack
from nightstream.cleaning.inventory import staged_runs
from tests.support.faults.stack_books import StackBooks, differences, stack_books
from tests.support.faults.stack_history import Strike, stack_history
from tests.support.faults.stack_night import SERVICE, WORK, StackNight
from tests.support.faults.striking import Strikes
from tests.support.faults.tally import Tally
from tests.support.seeds import VARIABLE, reproduced_by
from tests.support.stack import stack as stack
from tests.support.stack_nights import DAG_ID, StackNights

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(1_800)]

HISTORIES, AT_A_TIME = 40, 4
FIRST = date(2026, 2, 1)
MOST_CLEARS = 4
PATIENCE_S = 900


def waves() -> list[tuple[int, ...]]:
    """The seeds, some at a time."""
    if VARIABLE in os.environ:
        return [(int(os.environ[VARIABLE]),)]
    return [tuple(range(n, n + AT_A_TIME)) for n in range(0, HISTORIES, AT_A_TIME)]


@dataclass
class StackWorld:
    """The example service, nights of the same input, and the books of the first of them."""

    nights: StackNights
    flawless: StackBooks = field(default_factory=lambda: StackBooks([], []))
    aimed: list[Strike] = field(default_factory=list)
    killed: list[Strike] = field(default_factory=list)
    """Strikes of all histories so far, and those that found their victim."""

    def send(self, day: date) -> StackNight:
        """The same births and broken rows every night."""
        made = make_night(FIRST, births=200, broken=1)
        folder = f"gs://nightstream-input/babyweight/{day}/"
        for name, content in made.files.items():
            self.nights.objects.put(folder + name, content)
        self.nights.objects.put(folder + "_SUCCESS", b"")
        return StackNight(StackNights.seeing(self.nights.stack), day)

    def play(self, seeds: tuple[int, ...]) -> dict[int, list[str]]:
        """What is wrong after the histories, and what happened in them, by seed."""
        histories = {seed: stack_history(seed) for seed in seeds}
        nights = {seed: self.send(FIRST + timedelta(days=1 + seed)) for seed in seeds}
        runs = {seed: self.nights.trigger(night.day) for seed, night in nights.items()}
        for fault in (fault for history in histories.values() for fault in history.faults):
            requests.post(self._faults, json=fault, timeout=30).raise_for_status()
        with ExitStack() as striking:
            strikes = {
                seed: striking.enter_context(Strikes(nights[seed], histories[seed].strikes))
                for seed in seeds
            }
            told = self._finished(runs)
        for seed in seeds:
            self.aimed += histories[seed].strikes
            self.killed += strikes[seed].killed
        self.nights.stack.up()
        requests.delete(self._faults, timeout=30).raise_for_status()
        return {
            seed: [*wrong, f"{histories[seed]}", *strikes[seed].told, *told[seed]]
            for seed in seeds
            if (wrong := differences(nights[seed], runs[seed], self.flawless))
        }

    def _finished(self, runs: dict[int, str]) -> dict[int, list[str]]:
        """Lets the DAG runs finish: what fails is cleared, as a person would; how often."""
        told: dict[int, list[str]] = {seed: [] for seed in runs}
        deadline = time.monotonic() + PATIENCE_S
        going_on = dict(runs)
        while going_on:
            assert time.monotonic() < deadline, (going_on, told)
            self._revive()
            for seed, run_id in list(going_on.items()):
                state = self.nights.airflow.run(DAG_ID, run_id)["state"]
                if state == "success":
                    del going_on[seed]
                elif state == "failed":
                    tasks = self.nights.task_states(run_id)
                    told[seed].append(f"cleared after {tasks}")
                    assert len(told[seed]) <= MOST_CLEARS, told
                    self.nights.airflow.clear(DAG_ID, run_id)
            time.sleep(0.5)
        return told

    def _revive(self) -> None:
        """A fault may have ended the cloud."""
        if any(status.state == "dead" for status in self.nights.stack.status()):
            self.nights.stack.up()

    @property
    def _faults(self) -> str:
        return f"{self.nights.stack.settings.cloud_url}/_local/faults"


@pytest.fixture(scope="module")
def world(stack: Stack) -> StackWorld:
    world = StackWorld(StackNights.on(stack))
    night = world.send(FIRST)
    assert world.nights.finished(world.nights.trigger(FIRST)) == ["success"]
    world.flawless = stack_books(night)
    assert len(world.flawless.predictions) == 200
    assert len(world.flawless.dead_letters) == 7
    return world


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    tally = Tally()
    yield tally
    tally.report(request.config)


@pytest.mark.parametrize("wave", waves(), ids=lambda wave: f"{wave[0]}-{wave[-1]}")
def test_whatever_is_killed_the_books_are_those_of_a_night_without_faults(
    world: StackWorld, tally: Tally, wave: tuple[int, ...], request: pytest.FixtureRequest
) -> None:
    with tally.history(len(wave)):
        wrong = world.play(wave)
    told = [
        line
        for seed, lines in wrong.items()
        for line in (f"seed {seed}: {reproduced_by(request, seed)}", *lines)
    ]
    assert not wrong, "\n".join(told)


def test_most_strikes_found_their_victim(world: StackWorld) -> None:
    missed = [strike for strike in world.aimed if strike not in world.killed]
    assert len(world.killed) >= len(world.aimed) * 3 / 4, missed


def test_after_the_clean_up_only_records_are_left(world: StackWorld) -> None:
    from nightstream.cleaning.sweeping import Sweeper

    root, objects = f"gs://{WORK}/{SERVICE}/runs", world.nights.objects
    runs = staged_runs(root, objects.list(f"{root}/"))
    assert runs
    assert all(run.last_used <= datetime.now(UTC) for run in runs)
    Sweeper(objects).remove_runs(runs)
    assert staged_runs(root, objects.list(f"{root}/")) == []
