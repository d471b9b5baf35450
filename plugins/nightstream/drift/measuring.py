"""From histograms to figures. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from beam_jobs.prediction.manifest import ReferenceStatistics
from beam_jobs.runs.manifest import Histogram
from beam_jobs.spec.drift import DriftSpec
from nightstream.drift.counted import Counted
from nightstream.drift.distances import jensen_shannon, psi
from nightstream.drift.figures import Baseline, Figure, Kind, Measure
from nightstream.drift.judging import judged


@dataclass(frozen=True)
class Profiled:
    """What was counted of some rows and their predictions, by column."""

    features: Mapping[str, Histogram]
    predictions: Mapping[str, Histogram]

    def columns(self) -> Iterator[tuple[Kind, str, Histogram]]:
        for name, histogram in self.features.items():
            yield "feature", name, histogram
        for name, histogram in self.predictions.items():
            yield "prediction", name, histogram

    def column(self, kind: Kind, name: str) -> Histogram | None:
        return (self.features if kind == "feature" else self.predictions).get(name)


@dataclass(frozen=True)
class Measured:
    """Every figure, and what could not be measured."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


def measure(
    spec: DriftSpec,
    profiled: Profiled,
    reference: ReferenceStatistics,
    trailing: Mapping[date, Profiled],
) -> Measured:
    """The figures of every column that the training data describes.

    A baseline that was counted over other bins (of another model version) is left out of the
    column's comparison, and that is noted.
    """
    figures: list[Figure] = []
    notes: list[str] = []
    for kind, name, histogram in profiled.columns():
        counted = Counted.of_histogram(histogram)
        if counted is None:
            notes.append(f"{kind} {name} is not measured: the model's training data tells nothing")
            continue
        figures += _rates(spec, kind, name, counted)
        expected = Counted.of_reference(name, reference)
        if expected is None or not counted.comparable(expected):
            notes.append(f"{kind} {name} was counted over other bins than the training data has")
        else:
            figures += _distances(spec, kind, name, counted, expected, Baseline.REFERENCE)
        before, left_out = _sum(kind, name, counted, trailing)
        notes += left_out
        if before is not None:
            figures += _distances(spec, kind, name, counted, before, Baseline.TRAILING)
    return Measured(tuple(figures), tuple(notes))


def _rates(spec: DriftSpec, kind: Kind, name: str, counted: Counted) -> Iterator[Figure]:
    yield judged(spec, name, kind, Measure.NULL_RATE, counted.null_rate, counted.rows)
    yield judged(spec, name, kind, Measure.UNSEEN_RATE, counted.unseen_rate, counted.values)


def _distances(
    spec: DriftSpec, kind: Kind, name: str, counted: Counted, other: Counted, against: Baseline
) -> Iterator[Figure]:
    values = min(counted.values, other.values)
    for measure_, distance in ((Measure.PSI, psi), (Measure.JS, jensen_shannon)):
        value = distance(counted.counts, other.counts) if values else None
        yield judged(spec, name, kind, measure_, value, values, against)


def _sum(
    kind: Kind, name: str, counted: Counted, trailing: Mapping[date, Profiled]
) -> tuple[Counted | None, Sequence[str]]:
    """The sum over the nights that can be compared, and what is said of the others."""
    total: Counted | None = None
    other_bins: list[str] = []
    for night, profiled in sorted(trailing.items()):
        histogram = profiled.column(kind, name)
        before = Counted.of_histogram(histogram) if histogram else None
        if before is None or not counted.comparable(before):
            other_bins.append(night.isoformat())
        else:
            total = before if total is None else total.plus(before)
    if not other_bins:
        return total, ()
    said = f"{kind} {name} is not compared with {', '.join(other_bins)}: counted over other bins"
    return total, (said,)
