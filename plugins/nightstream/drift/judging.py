"""What follows from a figure, by the limits that the spec declares. Pure."""

from __future__ import annotations

from beam_jobs.spec.drift import ColumnLimits, DriftSpec, Limits
from nightstream.drift.figures import Baseline, Figure, Kind, Measure, Verdict


def limits_for(spec: DriftSpec, column: str, measure: Measure, against: Baseline | None) -> Limits:
    """The column's own limits where it has some for that measure, else the service's."""
    own = _declared(spec.columns.get(column, ColumnLimits()), measure, against)
    return own or _declared(spec, measure, against) or Limits()


def judged(
    spec: DriftSpec,
    column: str,
    kind: Kind,
    measure: Measure,
    value: float | None,
    values: int,
    against: Baseline | None = None,
) -> Figure:
    """The figure with its verdict.

    values: how many values, on the side that has fewer, the figure rests on.
    """
    limits = limits_for(spec, column, measure, against)
    why = "" if values >= spec.min_rows else _too_few(values, spec.min_rows)
    if value is None or why:
        verdict = Verdict.UNJUDGED
    elif limits.stop is not None and value > limits.stop:
        verdict = Verdict.STOP
    elif limits.warn is not None and value > limits.warn:
        verdict = Verdict.WARN
    else:
        verdict = Verdict.FINE
    return Figure(
        column=column,
        kind=kind,
        measure=measure,
        against=against,
        value=value,
        warn=limits.warn,
        stop=limits.stop,
        verdict=verdict,
        why=why,
    )


def _declared(limits: ColumnLimits, measure: Measure, against: Baseline | None) -> Limits | None:
    match measure, against:
        case Measure.NULL_RATE, _:
            return limits.null_rate
        case Measure.UNSEEN_RATE, _:
            return limits.unseen_rate
        case _, Baseline.TRAILING:
            distances = limits.trailing
        case _:
            distances = limits.reference
    return distances.psi if measure is Measure.PSI else distances.js


def _too_few(values: int, least: int) -> str:
    return f"it rests on {values:,} values, drift.min_rows is {least:,}"
