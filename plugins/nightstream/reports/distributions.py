"""How the values of a column are distributed, in the night and in what it is compared with. Pure.

Shares are those that the drift is measured by: bin for bin, of the values without nulls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import pairwise

from beam_jobs.prediction.manifest import ReferenceStatistics
from nightstream.drift.counted import Counted
from nightstream.drift.figures import Kind
from nightstream.drift.measuring import Profiled


@dataclass(frozen=True)
class Distribution:
    """One column; each share is from 0 to 1, and there is one for each bin."""

    column: str
    kind: Kind
    bins: tuple[str, ...]
    edges: tuple[float, ...]
    """Between the bins, of numbers: one fewer than bins. Empty for categories."""
    counts: tuple[int, ...]
    """Values of the night."""
    night: tuple[float, ...]
    reference: tuple[float, ...] | None
    trailing: tuple[float, ...] | None
    """None where there is nothing that could be compared."""


def distributions(
    profiled: Profiled, reference: ReferenceStatistics | None, trailing: Mapping[date, Profiled]
) -> Iterator[Distribution]:
    """Of every column that was counted over bins."""
    for kind, name, histogram in profiled.columns():
        counted = Counted.of_histogram(histogram)
        if counted is None:
            continue
        expected = Counted.of_reference(name, reference) if reference else None
        before = _sum(kind, name, counted, trailing)
        yield Distribution(
            column=name,
            kind=kind,
            bins=_labels(counted, histogram.edges),
            edges=histogram.edges,
            counts=counted.counts,
            night=_shares(counted) or (0.0,) * len(counted.counts),
            reference=_shares(expected) if expected and counted.comparable(expected) else None,
            trailing=_shares(before) if before else None,
        )


def _sum(
    kind: Kind, name: str, counted: Counted, trailing: Mapping[date, Profiled]
) -> Counted | None:
    histograms = (profiled.column(kind, name) for profiled in trailing.values())
    found = (Counted.of_histogram(histogram) for histogram in histograms if histogram)
    comparable = [before for before in found if before and counted.comparable(before)]
    return reduce(Counted.plus, comparable) if comparable else None


def _shares(counted: Counted) -> tuple[float, ...] | None:
    total = counted.values
    return tuple(count / total for count in counted.counts) if total else None


def _labels(counted: Counted, edges: tuple[float, ...]) -> tuple[str, ...]:
    """What each bin holds, in words."""
    if not edges:
        return (*map(str, counted.bins), "any other")
    shown = [f"{edge:.6g}" for edge in edges]
    inner = (f"{low} to {high}" for low, high in pairwise(shown))
    return (f"below {shown[0]}", *inner, f"above {shown[-1]}")
