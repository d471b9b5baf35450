"""The plots of a report, each an SVG image as a data URI.

matplotlib draws them: an image needs no script, and looks the same on a screen and on paper. The
colours are those of Okabe and Ito, which people with any colour vision can tell apart; the lines
differ in style, too.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from nightstream.reports.distributions import Distribution

NIGHT, TRAINING, TRAILING, DEAD = "#0072B2", "#C4C4C4", "#D55E00", "#D55E00"
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text, which is smaller and can be searched
    "svg.hashsalt": "nightstream",  # the same page for the same night
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}
_TICKS = 5
_NAME = 14
"""Characters of a category under its bar."""


class DistributionPlots:
    """Draws distributions one after another on one sheet: making a new sheet for each of 200
    columns would take most of the time."""

    def __init__(self) -> None:
        with matplotlib.rc_context(_STYLE):
            self._figure = Figure(figsize=(5.2, 1.75))
            # Fixed margins: to have them laid out would draw each plot twice.
            self._figure.subplots_adjust(left=0.1, right=0.98, top=0.95, bottom=0.16)
            self._axes = axes = self._figure.add_subplot()
            edges = [0, 1]
            self._reference = axes.stairs([0], edges, fill=True, color=TRAINING)
            self._trailing = axes.stairs([0], edges, color=TRAILING, linestyle="--", linewidth=1.4)
            self._night = axes.stairs([0], edges, color=NIGHT, linewidth=1.8)
            axes.yaxis.set_major_locator(MaxNLocator(3))
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))

    def draw(self, column: Distribution) -> str:
        """Shares of the bins: training data filled, earlier nights dashed, the night solid."""
        bins = len(column.bins)
        none = (0.0,) * bins
        for drawn, shares in (
            (self._reference, column.reference),
            (self._trailing, column.trailing),
            (self._night, column.night),
        ):
            drawn.set_data(shares or none, range(bins + 1))
            drawn.set_visible(shares is not None)
        highest = max(column.night + (column.reference or none) + (column.trailing or none))
        with matplotlib.rc_context(_STYLE):
            self._axes.set_xlim(0, bins)
            self._axes.set_ylim(0, highest * 1.08 or 1)
            self._axes.set_xticks(*_ticks(column))
            return _image(self._figure)


def rows_plot(nights: Sequence[date], scored: Sequence[int], dead: Sequence[int]) -> str:
    """Rows of each night, one bar each; the last one is the night itself."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 2.2), layout="constrained")
        axes = figure.add_subplot()
        places = range(len(nights))
        axes.bar(places, scored, color=NIGHT, label="scored")
        axes.bar(places, dead, bottom=scored, color=DEAD, hatch="///", label="dead")
        axes.set_xlim(-0.6, max(len(nights), 10) - 0.4)
        axes.set_xticks(*_night_ticks(nights))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        figure.legend(loc="outside right upper", frameon=False)
        return _image(figure)


def drift_plot(nights: Sequence[date], psi: Mapping[str, Sequence[float | None]]) -> str:
    """PSI against the training data: a line for each column, a cell for each night, the darker
    the further; 0.25 and more are darkest. Nights that were not measured are white."""
    values = np.array([[np.nan if v is None else v for v in row] for row in psi.values()])
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 0.9 + 0.22 * len(psi)), layout="constrained")
        axes = figure.add_subplot()
        drawn = axes.pcolormesh(
            values, cmap="Blues", vmin=0, vmax=0.25, edgecolors="white", linewidth=0.8
        )
        axes.invert_yaxis()
        axes.set_xlim(0, max(len(nights), 10))
        axes.set_yticks(np.arange(len(psi)) + 0.5, [_shortened(name, 32) for name in psi])
        places, labels = _night_ticks(nights)
        axes.set_xticks([place + 0.5 for place in places], labels)
        figure.colorbar(drawn, ax=axes, label="PSI", extend="max", fraction=0.03)
        return _image(figure)


def reasons_plot(by_code: Mapping[str, int]) -> str:
    """Dead letters by error code."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(6, 0.6 + 0.25 * len(by_code)), layout="constrained")
        axes = figure.add_subplot()
        bars = axes.barh(list(by_code), list(by_code.values()), color=DEAD)
        axes.bar_label(bars, fmt="{:,.0f}", padding=3)
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.margins(x=0.12)
        return _image(figure)


def _ticks(column: Distribution) -> tuple[list[float], list[str]]:
    """Some edges where the bins meet, or categories below their bars."""
    if column.edges:
        chosen = _some(len(column.edges), _TICKS)
        return [place + 1 for place in chosen], [f"{column.edges[i]:.4g}" for i in chosen]
    chosen = _some(len(column.bins), _TICKS)
    return [i + 0.5 for i in chosen], [_shortened(column.bins[i], _NAME) for i in chosen]


def _night_ticks(nights: Sequence[date]) -> tuple[list[float], list[str]]:
    chosen = _some(len(nights), 10)
    return [float(place) for place in chosen], [f"{nights[i]:%d %b}" for i in chosen]


def _some(count: int, most: int) -> list[int]:
    """At most so many of the numbers below count, first and last among them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _image(figure: Figure) -> str:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
