"""Seeds of histories: one in `make test`, the others in `make test-long`."""

from __future__ import annotations

import pytest


def seeds(count: int) -> list[object]:
    """Values for `parametrize`."""
    return [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, count))]
