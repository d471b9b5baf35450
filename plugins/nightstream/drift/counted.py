"""The values of one column, counted over bins that can be compared. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.runs.manifest import Histogram


@dataclass(frozen=True)
class Counted:
    """How many values of a column are in each bin."""

    bins: tuple[float, ...] | tuple[str, ...]
    """Edges or categories: two columns are comparable where these are equal."""
    counts: tuple[int, ...]
    """Of numbers below, in and above the bins; of categories each, and last all others."""
    unseen: int
    """Values beyond the outer edges, or of other categories."""
    nulls: int
    """Rows without a value, or with a number that is not finite."""

    @classmethod
    def of_histogram(cls, histogram: Histogram) -> Counted | None:
        """What a job counted; None where it had no bins to count by."""
        nulls = histogram.nulls + histogram.non_finite
        if histogram.edges:
            counts = histogram.counts
            return cls(histogram.edges, counts, counts[0] + counts[-1], nulls)
        if histogram.values:
            names = tuple(sorted(histogram.values))
            known = tuple(histogram.values[name] for name in names)
            return cls(names, (*known, histogram.other), histogram.other, nulls)
        return None

    @classmethod
    def of_reference(cls, column: str, reference: ReferenceStatistics) -> Counted | None:
        """What the training data held of a column; None where it is not described."""
        if numeric := reference.numeric.get(column):
            return cls(numeric.edges, (0, *numeric.counts, 0), 0, numeric.nulls)
        if categorical := reference.categorical.get(column):
            names = tuple(sorted(categorical.values))
            known = tuple(categorical.values[name] for name in names)
            return cls(names, (*known, 0), 0, categorical.nulls)
        return None

    @property
    def values(self) -> int:
        """Values that were counted."""
        return sum(self.counts)

    @property
    def rows(self) -> int:
        """Values and nulls."""
        return self.values + self.nulls

    @property
    def null_rate(self) -> float | None:
        return self.nulls / self.rows if self.rows else None

    @property
    def unseen_rate(self) -> float | None:
        return self.unseen / self.values if self.values else None

    def comparable(self, other: Counted) -> bool:
        """Whether both were counted over the same bins."""
        return self.bins == other.bins and len(self.counts) == len(other.counts)

    def plus(self, other: Counted) -> Counted:
        """Both together; they must be comparable."""
        return Counted(
            self.bins,
            tuple(one + two for one, two in zip(self.counts, other.counts, strict=True)),
            self.unseen + other.unseen,
            self.nulls + other.nulls,
        )
