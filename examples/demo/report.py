"""The demo's report on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from examples.babyweight.nights import Night
from examples.demo.books import PublishedNight


def show_nights(
    console: Console,
    nights: Sequence[tuple[Night, PublishedNight, str, float]],
) -> None:
    """One line per night: what was sent, what came of it, how the run was started and its time."""
    table = Table(title="Nights, as BigQuery holds them", title_justify="left")
    for heading in ("night", "started by", "rows in", "scored", "dead"):
        table.add_column(heading, justify="left" if heading in ("night", "started by") else "right")
    table.add_column("dead by reason")
    table.add_column("RMSE (lb)", justify="right")
    table.add_column("model")
    table.add_column("seconds", justify="right")
    for sent, published, started_by, seconds in nights:
        table.add_row(
            str(sent.score_date),
            started_by,
            str(sent.rows),
            str(published.scored),
            str(sum(published.dead.values())),
            ", ".join(f"{code} {count}" for code, count in sorted(published.dead.items())),
            "-" if published.rmse is None else f"{published.rmse:.3f}",
            ", ".join(published.model_versions),
            f"{seconds:.0f}",
        )
    console.print(table)


def show_samples(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Predictions beside the true weights, with where each row came from."""
    table = Table(title="Sample predictions, read back from BigQuery", title_justify="left")
    for heading in (
        "key",
        "male",
        "age",
        "plurality",
        "weeks",
        "true lb",
        "predicted lb",
        "source",
    ):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            row["key"],
            row["is_male"],
            f"{row['mother_age']:.0f}",
            row["plurality"],
            f"{row['gestation_weeks']:.0f}",
            f"{row['weight_pounds']:.2f}",
            f"{row['predicted_weight_pounds']:.2f}",
            f"{row['source_uri'].rpartition('/')[2]} @ byte {row['source_position']}",
        )
    console.print(table)
