"""A history on the whole stack: which process is killed where, and how the cloud fails. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.support.faults.history import a_fault


class Victim(StrEnum):
    """What a strike kills with SIGKILL."""

    TASK = "task"
    """Whichever tasks run."""
    SCHEDULER = "scheduler"
    TRIGGERER = "triggerer"
    CLOUD = "cloud"
    LAUNCHER = "launcher"
    WORKER = "worker"
    """The processes of the night's Dataflow job that do its work."""
    SUPERVISOR = "supervisor"
    """The process that leads the night's Dataflow job."""


class Point(StrEnum):
    """A moment of a night, as seen from outside."""

    TRIGGERED = "the run is triggered"
    PLANNED = "the plan is written"
    CLAIMED = "a launch is claimed"
    SUBMITTED = "the job is submitted"
    SCORED = "the manifest is written"
    BEGUN = "the publication is begun"
    DEAD_LETTERS = "the dead letters are loaded"
    PREDICTIONS = "the predictions are loaded"
    PUBLISHED = "the ledger is committed"
    RECORDED = "the row is recorded"


_SOMEWHERE = {
    Victim.LAUNCHER: Point.CLAIMED,
    Victim.WORKER: Point.SUBMITTED,
    Victim.SUPERVISOR: Point.SUBMITTED,
}
"""Processes that live only for a while."""


@dataclass(frozen=True)
class Strike:
    """A process is killed, so long after the night came to a point."""

    victim: Victim
    point: Point
    delay_s: float


@dataclass(frozen=True)
class StackHistory:
    """What happens to one night."""

    seed: int
    strikes: tuple[Strike, ...]
    """In the order of their points."""
    faults: tuple[Mapping[str, Any], ...]


def stack_history(seed: int) -> StackHistory:
    """The history of a seed: seven in a row kill each of the victims at least once."""
    chance = random.Random(seed)
    victims = [list(Victim)[seed % len(Victim)], *chance.choices(list(Victim), k=seed % 2)]
    strikes = [_strike(victim, chance) for victim in victims]
    order = list(Point)
    return StackHistory(
        seed=seed,
        strikes=tuple(sorted(strikes, key=lambda strike: order.index(strike.point))),
        faults=tuple(a_fault(chance) for _ in range(chance.choice((0, 0, 1)))),
    )


def _strike(victim: Victim, chance: random.Random) -> Strike:
    point = _SOMEWHERE.get(victim) or chance.choice(list(Point))
    return Strike(victim, point, round(chance.uniform(0, 1.5), 2))
