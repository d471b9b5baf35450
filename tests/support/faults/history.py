"""A history: a seed, and what it does to the DAG runs of a night."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.faults.borders import Border, When

STEPS = ("await_input", "resolve", "score", "audit", "publish", "record")
MODELS = ("v1", "v2")
_APIS = (r"^/(upload/|download/)?storage/", r"^/(upload/)?bigquery/", r"^/v1b3/")
_HANG = {"kind": "hang", "method": "POST", "path": _APIS[1], "times": 1}
"""The client gives up waiting before long, and sends the request again."""
_POINTS = ("storage.commit", "bigquery.job.begin", "bigquery.job.commit")


@dataclass(frozen=True)
class Kill:
    """The process of a step's task dies there, once."""

    step: str
    border: Border


@dataclass(frozen=True)
class Part:
    """One DAG run of the history: which model it scores with, and where its tasks die."""

    model: str
    kills: tuple[Kill, ...]


@dataclass(frozen=True)
class History:
    """What happens to one night."""

    seed: int
    parts: tuple[Part, ...]
    """Of two, the turns are shuffled: two people want the same night at once, with two models."""
    faults: tuple[Mapping[str, Any], ...]
    """Armed in the cloud from the beginning."""
    leases_lapse: bool
    """Whether who is killed stays away until his lease is over."""


def history_of(seed: int, calls: Mapping[str, int]) -> History:
    """The history of a seed.

    calls: how many calls each step makes when nothing happens; a border beyond the last one is the
        death of a worker whose task is done, before anybody heard of it.
    """
    chance = random.Random(seed)
    first = MODELS[seed % 2]
    models = [first] if chance.random() < 0.7 else [first, MODELS[1 - seed % 2]]
    hangs = [_HANG] if chance.random() < 0.1 else []
    return History(
        seed=seed,
        parts=tuple(Part(model, _kills(chance, calls)) for model in models),
        faults=(*hangs, *(a_fault(chance) for _ in range(chance.choice((0, 0, 1, 1, 2))))),
        leases_lapse=chance.random() < 0.3,
    )


def _kills(chance: random.Random, calls: Mapping[str, int]) -> tuple[Kill, ...]:
    # Publishing is where most can go wrong.
    steps = chance.choices(STEPS, weights=(1, 2, 2, 1, 9, 3), k=chance.choice((1, 2, 2, 3)))
    return tuple(
        Kill(step, Border(chance.randint(1, calls[step] + 1), chance.choice(list(When))))
        for step in steps
    )


def a_fault(chance: random.Random) -> dict[str, Any]:
    """Something that clients or retries get over; the server crashes at a named point, too."""
    if chance.random() < 0.15:
        return {"kind": "crash", "point": chance.choice(_POINTS), "times": 1}
    where = {"path": chance.choice(_APIS), "skip": chance.randint(0, 12)}
    match chance.choice(("error", "lost answer", "reset", "latency", "stale")):
        case "error":
            code = chance.choice((429, 500, 503))
            return {"kind": "error", "code": code, "times": chance.randint(1, 3), **where}
        case "lost answer":
            return {"kind": "reset", "when": "after", "times": 1, **where}
        case "reset":
            return {"kind": "reset", "times": 1, **where}
        case "latency":
            return {"kind": "latency", "seconds": 0.2, "times": 2, **where}
        case _:
            return {"kind": "stale", "path": _APIS[2], "seconds": 2, "times": 2}
