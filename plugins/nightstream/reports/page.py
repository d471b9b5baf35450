"""A night's report as one HTML page. Pure.

Whatever stands on it comes from data and may be hostile: the template escapes every value, and the
page's own policy forbids the browser any script and any address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from nightstream.drift.figures import Figure, Verdict
from nightstream.reports.distributions import Distribution, distributions
from nightstream.reports.night import NightReport, Sample, psi_by_column
from nightstream.reports.plots import DistributionPlots, drift_plot, reasons_plot, rows_plot

MAX_PLOTTED_COLUMNS = 40
"""Lines of the plot of drift over the nights, those that drifted furthest; the table has all."""
MAX_PAYLOAD = 400
"""Characters of a dead letter's payload."""

LABELS = {
    "psi_reference": "PSI, training",
    "js_reference": "JS, training",
    "psi_trailing": "PSI, nights before",
    "js_trailing": "JS, nights before",
    "null_rate": "null",
    "unseen_rate": "unseen",
}


@dataclass(frozen=True)
class ColumnView:
    """A column's distribution, its plot and its figures."""

    distribution: Distribution
    plot: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class NightView:
    """A line of the tables over the nights."""

    night: date
    scored: int
    dead: int
    model_version: str
    psi: Mapping[str, float | None]
    is_this: bool = False


def page(report: NightReport) -> str:
    """The whole page."""
    nights = [*_past(report), _this_night(report)]
    codes = dict(
        sorted(report.audited.manifest.summary.dead_by_code.items(), key=lambda item: -item[1])
    )
    dates = [night.night for night in nights]
    scored, dead = [n.scored for n in nights], [n.dead for n in nights]
    drifted = _drifted(nights)
    plotted = dict(list(drifted.items())[:MAX_PLOTTED_COLUMNS])
    return _template().render(
        report=report,
        plan=report.audited.plan,
        manifest=report.audited.manifest,
        drift=report.drift,
        above=_above(report),
        took=_took(report),
        labels=LABELS,
        columns=_columns(report),
        nights=nights,
        rows_plot=rows_plot(dates, scored, dead),
        drifted=drifted,
        drift_plot=drift_plot(dates, plotted) if plotted else None,
        plotted=len(plotted),
        codes=codes,
        reasons_plot=reasons_plot(codes) if codes else None,
    )


def _columns(report: NightReport) -> list[ColumnView]:
    """Those that drifted furthest first, predictions before features."""
    plots = DistributionPlots()
    figures = _figures(report)
    views = [
        ColumnView(column, plots.draw(column), figures.get(column.column, {}))
        for column in distributions(report.profiled, report.reference, report.trailing)
    ]
    psi = psi_by_column(report.drift) if report.drift else {}
    return sorted(
        views,
        key=lambda view: (
            view.distribution.kind == "feature",
            -(psi.get(view.distribution.column) or 0),
        ),
    )


def _above(report: NightReport) -> tuple[Figure, ...]:
    """The figures above a limit, the most severe first."""
    if report.drift is None:
        return ()
    return (*report.drift.of(Verdict.STOP), *report.drift.of(Verdict.WARN))


def _figures(report: NightReport) -> dict[str, dict[str, Figure]]:
    found: dict[str, dict[str, Figure]] = {}
    for figure in report.drift.figures if report.drift else ():
        found.setdefault(figure.column, {})[figure.label] = figure
    return found


def _past(report: NightReport) -> Iterator[NightView]:
    for night, past in sorted(report.past.items()):
        yield NightView(night, past.rows_scored, past.rows_dead, past.model_version, past.psi())


def _this_night(report: NightReport) -> NightView:
    manifest = report.audited.manifest
    psi = psi_by_column(report.drift) if report.drift else {}
    night = report.audited.plan.score_date
    scored, dead = manifest.rows_scored, manifest.rows_dead
    return NightView(night, scored, dead, manifest.models, psi, is_this=True)


def _drifted(nights: Sequence[NightView]) -> dict[str, list[float | None]]:
    """PSI by column and night, the columns that drifted furthest on any of them first."""
    names = {name for night in nights for name in night.psi}
    rows = {name: [night.psi.get(name) for night in nights] for name in names}
    return dict(sorted(rows.items(), key=lambda row: (-max(v or 0 for v in row[1]), row[0])))


def _took(report: NightReport) -> timedelta | None:
    started = report.audited.started_at
    return (
        timedelta(seconds=round((report.written_at - started).total_seconds())) if started else None
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "count": _count,
        "share": _share,
        "figure": _figure,
        "payload": _payload,
    }
    source = Path(__file__).with_name("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source)


def _count(value: int) -> str:
    return f"{value:,}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _payload(sample: Sample) -> str:
    """As text; what is no text, or no printable one, as escapes."""
    text = sample.payload[: MAX_PAYLOAD * 4].decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
    return shown if len(shown) <= MAX_PAYLOAD else f"{shown[:MAX_PAYLOAD]}…"
