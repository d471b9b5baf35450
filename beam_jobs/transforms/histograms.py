"""How the values of a column are distributed, over the bins of the model's training data."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.runs.manifest import Histogram, RunSummary
from beam_jobs.spec.model import OutputColumn
from beam_jobs.spec.service import ServiceSpec


@dataclass(frozen=True)
class Bins:
    """Where the values of one column are counted: between edges, or by category."""

    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    lowest: float | None = None
    """Declared range of an output; values outside it are counted apart."""
    highest: float | None = None

    def empty(self) -> Histogram:
        counts = (0,) * (len(self.edges) + 1) if self.edges else ()
        return Histogram(edges=self.edges, counts=counts, values=dict.fromkeys(self.categories, 0))

    def count(self, column: pa.Array) -> Histogram:
        """The histogram of an array of any type; only numbers fall between edges."""
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return self._count_numbers(column)
        return self._count_categories(column)

    def _count_numbers(self, column: pa.Array) -> Histogram:
        values = column.drop_null().to_numpy(zero_copy_only=False)
        finite = np.isfinite(values)
        kept = values if finite.all() else values[finite]
        low = 0 if self.lowest is None else np.count_nonzero(kept < self.lowest)
        high = 0 if self.highest is None else np.count_nonzero(kept > self.highest)
        return Histogram(
            edges=self.edges,
            counts=_between(kept, self.edges),
            nulls=column.null_count,
            non_finite=len(values) - len(kept),
            out_of_range=int(low + high),
            total=len(column),
        )

    def _count_categories(self, column: pa.Array) -> Histogram:
        counted = pc.value_counts(column.drop_null())
        found = dict(
            zip(
                counted.field("values").cast(pa.string()).to_pylist(),
                counted.field("counts").to_pylist(),
                strict=True,
            )
        )
        values = {category: found.get(category, 0) for category in self.categories}
        return Histogram(
            values=values,
            other=sum(found.values()) - sum(values.values()),
            nulls=column.null_count,
            total=len(column),
        )


def _between(values: np.ndarray, edges: tuple[float, ...]) -> tuple[int, ...]:
    """Counts below, in and above the bins.

    One comparison of the whole array per edge is several times faster than a search per value.
    """
    if not edges:
        return ()
    at_least = [int(np.count_nonzero(values >= edge)) for edge in edges[:-1]]
    tails = [len(values), *at_least, int(np.count_nonzero(values > edges[-1])), 0]
    return tuple(more - fewer for more, fewer in itertools.pairwise(tails))


@dataclass(frozen=True)
class Profile:
    """The bins of every column that a night is summarised by."""

    features: dict[str, Bins]
    """Features that the model's training data describes."""
    outputs: dict[str, Bins]
    """Every output; one that the training data does not describe has no edges."""

    @classmethod
    def of(cls, spec: ServiceSpec, reference: ReferenceStatistics) -> Profile:
        features = {f.name: _reference_bins(f.name, reference) for f in spec.input.features}
        return cls(
            features={name: bins for name, bins in features.items() if bins is not None},
            outputs={out.name: _output_bins(out, reference) for out in spec.model.outputs},
        )

    @classmethod
    def like(cls, spec: ServiceSpec, summary: RunSummary) -> Profile:
        """The bins that a night was summarised by, for rows that are added to it."""
        known = {
            name: Bins(seen.edges, tuple(seen.values))
            for name, seen in (*summary.features.items(), *summary.predictions.items())
        }
        features = [field.name for field in spec.input.features if field.name in summary.features]
        return cls(
            features={name: known[name] for name in features},
            outputs={out.name: _ranged(known.get(out.name), out) for out in spec.model.outputs},
        )


def _output_bins(output: OutputColumn, reference: ReferenceStatistics) -> Bins:
    return _ranged(_reference_bins(output.name, reference), output)


def _ranged(known: Bins | None, output: OutputColumn) -> Bins:
    known = known or Bins()
    lowest, highest = output.range or (None, None)
    return Bins(known.edges, known.categories, lowest, highest)


def _reference_bins(name: str, reference: ReferenceStatistics) -> Bins | None:
    if numeric := reference.numeric.get(name):
        return Bins(edges=numeric.edges)
    if categorical := reference.categorical.get(name):
        return Bins(categories=tuple(categorical.values))
    return None


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """The sum of histograms over the same bins; there must be one at least.

    Raises ValueError where bins differ: their counts mean different things.
    """
    parts = list(histograms)
    if not all(_same_bins(parts[0], part) for part in parts):
        raise ValueError("histograms over different bins have no sum")
    return Histogram(
        edges=parts[0].edges,
        counts=tuple(sum(counts) for counts in zip(*(p.counts for p in parts), strict=True)),
        values={name: sum(p.values[name] for p in parts) for name in parts[0].values},
        other=sum(p.other for p in parts),
        nulls=sum(p.nulls for p in parts),
        non_finite=sum(p.non_finite for p in parts),
        out_of_range=sum(p.out_of_range for p in parts),
        total=sum(p.total for p in parts),
    )


def _same_bins(one: Histogram, other: Histogram) -> bool:
    return one.edges == other.edges and one.values.keys() == other.values.keys()


def merged_by_column(tables: Iterable[Mapping[str, Histogram]]) -> dict[str, Histogram]:
    """The sums of the histograms of each column."""
    columns: dict[str, list[Histogram]] = {}
    for table in tables:
        for name, histogram in table.items():
            columns.setdefault(name, []).append(histogram)
    return {name: merged(parts) for name, parts in columns.items()}
