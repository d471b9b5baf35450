"""Distances between two distributions over the same bins. Pure.

Counts become shares, so a distance does not depend on how many rows there are; a column of a few
rows is far from anything by chance alone, which `min_rows` of the spec is for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FLOOR = 1e-4
"""Least share of a bin in the PSI, whose logarithm knows no empty bin."""


def shares(counts: Sequence[int]) -> np.ndarray:
    """What part of the values is in each bin: float64, sums to 1. There must be a value."""
    array = np.asarray(counts, dtype=np.float64)
    return array / array.sum()


def psi(one: Sequence[int], other: Sequence[int]) -> float:
    """Population stability index: Σ (p - q) ln(p / q), each share at least FLOOR.

    0 for equal distributions and never below; symmetric; at most about 18.
    """
    p, q = (np.maximum(shares(counts), FLOOR) for counts in (one, other))
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(one: Sequence[int], other: Sequence[int]) -> float:
    """Jensen-Shannon distance to the base 2, from 0 (equal) to 1 (no bin in common)."""
    from scipy.spatial.distance import jensenshannon

    with np.errstate(invalid="ignore"):
        distance = float(jensenshannon(shares(one), shares(other), base=2))
    # Of all but equal distributions, rounding may leave the root of less than nothing.
    return 0.0 if np.isnan(distance) else min(distance, 1.0)
