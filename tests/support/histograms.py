"""Histograms of made-up columns."""

from __future__ import annotations

from collections.abc import Sequence

from beam_jobs.prediction.manifest import (
    CategoricalReference,
    NumericReference,
    ReferenceStatistics,
)
from beam_jobs.runs.manifest import Histogram

EDGES = (0.0, 1.0, 2.0, 3.0)


def numbers(
    inside: Sequence[int], below: int = 0, above: int = 0, nulls: int = 0, edges: int = 0
) -> Histogram:
    """Three bins between EDGES, moved up by `edges`."""
    counts = (below, *inside, above)
    moved = tuple(edge + edges for edge in EDGES)
    return Histogram(edges=moved, counts=counts, nulls=nulls, total=sum(counts) + nulls)


def names(other: int = 0, nulls: int = 0, **values: int) -> Histogram:
    """A column of categories."""
    total = sum(values.values()) + other + nulls
    return Histogram(values=values, other=other, nulls=nulls, total=total)


def a_reference(
    numeric: dict[str, Sequence[int]], categorical: dict[str, dict[str, int]] | None = None
) -> ReferenceStatistics:
    """Training data whose numbers fall between EDGES."""
    return ReferenceStatistics(
        rows=1_000,
        numeric={
            name: NumericReference(edges=EDGES, counts=tuple(counts), mean=1.5, std=1)
            for name, counts in numeric.items()
        },
        categorical={
            name: CategoricalReference(values=values)
            for name, values in (categorical or {}).items()
        },
    )
