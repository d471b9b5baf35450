"""The demo's report of the streaming job on the terminal; fits into 80 columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from beam_jobs.send.answers import percentile
from examples.babyweight.requests import RequestFile
from examples.demo.metrics import JobMetrics, Spread
from examples.demo.report import new_table
from examples.demo.streaming_books import FoundRequests

_PERCENTILES = (50, 95, 99)
_SAMPLES = 5


def sender_latencies(told: str) -> dict[str, float]:
    """Milliseconds by percentile (`p50` …), in what `python -m beam_jobs.send --wait` says."""
    found = re.findall(r"\b(p\d+) ([\d,]+) ms", told)
    return {name: float(value.replace(",", "")) for name, value in found}


def show_requests(
    console: Console, sent: RequestFile, found: FoundRequests, metrics: JobMetrics
) -> None:
    """A line per outcome: what was sent, what the tables hold, what the job counts."""
    table = new_table("Requests by outcome")
    table.add_column("outcome")
    for heading in ("expected", "in BigQuery", "job's metrics"):
        table.add_column(heading, justify="right")
    dead = found.dead_by_code
    lines = [("scored", sent.scored, len(found.scored), metrics.counter("scored"))]
    lines += [
        (f"dead: {code}", sent.dead.get(code, 0), dead.get(code, 0), metrics.dead.get(code, 0))
        for code in sorted({*sent.dead, *dead, *metrics.dead})
    ]
    stored = len(found.scored) + len(found.dead)
    lines.append(("all", len(sent.payloads), stored, metrics.counter("requests")))
    for outcome, *counts in lines:
        table.add_row(outcome, *(f"{count:,}" for count in counts))
    console.print(table)


def show_latencies(
    console: Console, answered: Mapping[str, float], predicted: Sequence[float]
) -> None:
    """How long requests took, in milliseconds: as the sender saw it by percentile, and all values
    that the table holds, ascending."""
    table = new_table("Milliseconds from publishing a request …")
    table.add_column("")
    names = [f"p{percent}" for percent in _PERCENTILES]
    for name in names:
        table.add_column(name, justify="right")
    took = (f"{percentile(predicted, percent):,.0f}" for percent in _PERCENTILES)
    table.add_row("… to its prediction, as the table says", *(took if predicted else ()))
    heard = (f"{answered[name]:,.0f}" if name in answered else "-" for name in names)
    table.add_row("… to its answer, as the sender saw it", *heard)
    console.print(table)


def show_scored(console: Console, found: FoundRequests) -> None:
    """Some predictions beside the true weights."""
    table = new_table("Sample rows of babyweight_predictions_live_unique")
    for heading in ("request_id", "male", "age", "plurality", "weeks", "true", "predicted", "ms"):
        table.add_column(heading, no_wrap=True)
    for row in _spread_out(found.scored, _SAMPLES):
        table.add_row(
            row["request_id"],
            row["is_male"],
            f"{row['mother_age']:.0f}",
            row["plurality"],
            f"{row['gestation_weeks']:.0f}",
            f"{row['weight_pounds']:.2f}",
            f"{row['predicted_weight_pounds']:.2f}",
            f"{(row['scored_at'] - row['published_at']).total_seconds() * 1000:.0f}",
        )
    console.print(table)


def show_metrics(console: Console, job: str, metrics: JobMetrics) -> None:
    """What the Dataflow API tells of a running job."""
    table = new_table(f"{job} by the Dataflow API, while it runs")
    table.add_column("metric")
    table.add_column("value")
    for name in ("requests", "scored", "dead", "batches", "model_calls", "insert_requests"):
        table.add_row(name, f"{metrics.counter(name):,}")
    for name, spread in sorted(metrics.distributions.items()):
        table.add_row(name, _told(spread))
    for percent in _PERCENTILES:
        bound = metrics.scored_within(percent)
        table.add_row(f"scored within, p{percent}", "-" if bound is None else f"≤ {bound:,} ms")
    if (latest := metrics.gauges.get("last_event_time_ms")) is not None:
        moment = datetime.fromtimestamp(latest / 1000, UTC)
        table.add_row("last_event_time_ms", f"{latest} ({moment:%H:%M:%S} UTC)")
    console.print(table)


def _told(spread: Spread) -> str:
    return f"mean {spread.mean:,.1f}, max {spread.max:,}"


def _spread_out(rows: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    step = max(1, len(rows) // count)
    return list(rows[::step][:count])
