"""Seeds of histories: a few in `make test`, the others in `make test-long`.

NIGHTSTREAM_SEED=<seed> chooses that one alone: so a history that failed is played again.
"""

from __future__ import annotations

import os

import pytest

VARIABLE = "NIGHTSTREAM_SEED"


def seeds(count: int, quick: int = 1) -> list[object]:
    """Values for `parametrize`: so many are played in `make test`, and `count` in all."""
    if VARIABLE in os.environ:
        return [int(os.environ[VARIABLE])]
    return [
        *range(quick),
        *(pytest.param(seed, marks=pytest.mark.long) for seed in range(quick, count)),
    ]


def reproduced_by(request: pytest.FixtureRequest, seed: int) -> str:
    """The command that plays a test's seed again."""
    file, _, test = request.node.nodeid.partition("::")
    name = test.partition("[")[0]
    return f"{VARIABLE}={seed} .venv/bin/python -m pytest '{file}::{name}'"
