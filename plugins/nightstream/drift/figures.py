"""What is said of a night's drift: one figure per column and measure, and its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Literal

from beam_jobs.runs.layout import AttemptLayout
from beam_jobs.runs.plan import Pinned


class Measure(StrEnum):
    """What is measured of a column."""

    PSI = "psi"
    JS = "js"
    NULL_RATE = "null_rate"
    """Share of rows without a value, from 0 to 1."""
    UNSEEN_RATE = "unseen_rate"
    """Share of values that the training data does not know, from 0 to 1."""


class Baseline(StrEnum):
    """What a column is compared with."""

    REFERENCE = "reference"
    """The training data of the model."""
    TRAILING = "trailing"
    """The sum of the nights before; of live requests, the same hours of earlier days."""


class Verdict(StrEnum):
    """What follows from a figure."""

    UNJUDGED = "unjudged"
    """It rests on too few values, or there is none."""
    FINE = "fine"
    WARN = "warn"
    STOP = "stop"


_SEVERITY = (Verdict.UNJUDGED, Verdict.FINE, Verdict.WARN, Verdict.STOP)

Kind = Literal["feature", "prediction"]


class Figure(Pinned):
    """One measure of one column."""

    column: str
    kind: Kind
    measure: Measure
    against: Baseline | None
    """Of distances only: a rate is the night's own."""
    value: float | None
    """None where there are no values to measure."""
    warn: float | None = None
    stop: float | None = None
    """The limits that it was judged by."""
    verdict: Verdict
    why: str = ""
    """Of an unjudged figure: why nothing is concluded from it."""

    @property
    def label(self) -> str:
        """Measure and baseline, as `psi_reference` or `null_rate`."""
        return f"{self.measure}_{self.against}" if self.against else str(self.measure)

    def __str__(self) -> str:
        limit = self.stop if self.verdict is Verdict.STOP else self.warn
        against = {
            None: "",
            Baseline.REFERENCE: " against the training data",
            Baseline.TRAILING: " against the time before",
        }[self.against]
        value = "unknown" if self.value is None else f"{self.value:.4g}"
        told = "" if limit is None else f", {self.verdict} is above {limit:g}"
        return f"{self.kind} {self.column}: {self.measure}{against} is {value}{told}"


class Drift(Pinned):
    """All figures of a night, or of some hours of live requests."""

    format: Literal[1] = 1
    service: str
    model_version: str
    rows: int
    """Scored rows that the figures are of."""
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    """What could not be measured or compared, and why."""
    trailing: tuple[date, ...] = ()
    """The nights, or days, that the trailing baseline was summed from."""

    @property
    def verdict(self) -> Verdict:
        """The most severe of all."""
        return max((f.verdict for f in self.figures), key=_SEVERITY.index, default=Verdict.UNJUDGED)

    @property
    def worst(self) -> Figure | None:
        """The largest PSI against the training data, judged ones before others."""
        found = [
            figure
            for figure in self.figures
            if figure.measure is Measure.PSI and figure.against is Baseline.REFERENCE
        ]
        return max(
            (figure for figure in found if figure.value is not None),
            key=lambda figure: (figure.verdict is not Verdict.UNJUDGED, figure.value),
            default=None,
        )

    def of(self, verdict: Verdict) -> tuple[Figure, ...]:
        """The figures with that verdict."""
        return tuple(figure for figure in self.figures if figure.verdict is verdict)

    def by_column(self) -> dict[str, dict[str, float | None]]:
        """Every value, by column and label."""
        table: dict[str, dict[str, float | None]] = {}
        for figure in self.figures:
            table.setdefault(figure.column, {})[figure.label] = figure.value
        return table

    def columns(self) -> Iterator[tuple[str, Kind]]:
        """Name and kind of each measured column."""
        yield from dict.fromkeys((figure.column, figure.kind) for figure in self.figures)


class NightDrift(Drift):
    """The drift of one complete attempt of a night's run."""

    score_date: date
    run_key: str


def drift_uri(manifest_uri: str) -> str:
    """Where the drift of the attempt with that manifest is kept."""
    return AttemptLayout(manifest_uri.rpartition("/")[0]).drift
