"""The demo's report of the nights on the terminal; fits into 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from examples.babyweight.nights import Night
from examples.demo.books import PublishedNight


class NightLine(NamedTuple):
    """A night as it was sent, as it was published, and the run that did it."""

    sent: Night
    published: PublishedNight
    started_by: str
    seconds: float


def show_nights(console: Console, lines: Sequence[NightLine]) -> None:
    """A line per night: what was sent, what came of it, how long the run took."""
    table = new_table("Nights, as BigQuery holds them")
    for heading in ("night", "run"):
        table.add_column(heading)
    for heading in ("rows in", "scored", "dead", "RMSE lb", "model", "seconds"):
        table.add_column(heading, justify="right")
    for sent, published, started_by, seconds in lines:
        table.add_row(
            str(sent.score_date),
            started_by,
            str(sent.rows),
            str(published.scored),
            str(sum(published.dead.values())),
            "-" if published.rmse is None else f"{published.rmse:.3f}",
            ", ".join(published.model_versions),
            f"{seconds:.0f}",
        )
    console.print(table)


def show_dead_letters(console: Console, lines: Sequence[NightLine]) -> None:
    """A line per reason, a column per night."""
    table = new_table("Dead letters by reason")
    table.add_column("reason")
    for line in lines:
        table.add_column(str(line.sent.score_date), justify="right")
    for code in sorted({code for line in lines for code in line.published.dead}):
        table.add_row(code, *(str(line.published.dead.get(code, 0)) for line in lines))
    console.print(table)


def show_samples(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Predictions beside the true weights, with where each row came from."""
    table = new_table("Sample predictions, with the file and byte each came from")
    for heading in ("male", "age", "plurality", "weeks", "true", "predicted", "source"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(
            row["is_male"],
            f"{row['mother_age']:.0f}",
            row["plurality"],
            f"{row['gestation_weeks']:.0f}",
            f"{row['weight_pounds']:.2f}",
            f"{row['predicted_weight_pounds']:.2f}",
            f"{row['source_uri'].rpartition('/')[2]}:{row['source_position']}",
        )
    console.print(table)


def new_table(title: str) -> Table:
    """A table in the style of this report."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
