"""Drift in words: a table for the task log, sentences for those who have to act. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from nightstream.drift.figures import Drift, Figure, NightDrift, Verdict

MAX_COLUMNS = 40
MAX_NOTES = 10
"""Lines of the log; drift.json has all of them."""

_LABELS = (
    "psi_reference",
    "js_reference",
    "psi_trailing",
    "js_trailing",
    "null_rate",
    "unseen_rate",
)
_MARKS = {Verdict.UNJUDGED: "?", Verdict.FINE: " ", Verdict.WARN: "!", Verdict.STOP: "X"}


def table(drift: Drift) -> str:
    """Every figure, a line for each column; the verdict stands behind the figure."""
    rows: dict[str, dict[str, Figure]] = {}
    for figure in drift.figures:
        rows.setdefault(figure.column, {})[figure.label] = figure
    lines = [f"{'':<32}" + "".join(f"{label:>16}" for label in _LABELS)]
    lines += _shortened([_line(name, figures) for name, figures in rows.items()], MAX_COLUMNS)
    lines.append("! above warn, X above stop, ? too few values to conclude anything")
    lines += _shortened([f"note: {note}" for note in drift.notes], MAX_NOTES)
    return "\n".join(lines)


def stopped(drift: NightDrift, manifest_uri: str) -> str:
    """Why a night is not published, and what can be done."""
    found = "\n".join(f"- {figure}" for figure in drift.of(Verdict.STOP))
    return (
        f"night {drift.score_date} of {drift.service} is not published, it is too far from what "
        f"the model {drift.model_version} knows ({manifest_uri}):\n{found}\n"
        "Remedy: mend the input and run the night again; or release a model that was trained on "
        "such data; or, if the night is right as it is, trigger it again with allow_drift and a "
        "reason, which publishes this very output; or raise the limit in the spec's section drift"
    )


def summary(drift: Drift) -> str:
    """The figures above a limit, in one line."""
    return "; ".join(map(str, (*drift.of(Verdict.STOP), *drift.of(Verdict.WARN))))


def _line(column: str, figures: Mapping[str, Figure]) -> str:
    return f"{column:<32}" + "".join(f"{_cell(figures.get(label)):>16}" for label in _LABELS)


def _cell(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "- "
    return f"{figure.value:.4f}{_MARKS[figure.verdict]}"


def _shortened(lines: list[str], most: int) -> list[str]:
    more = len(lines) - most
    return lines if more <= 0 else [*lines[:most], f"… and {more:,} more"]
