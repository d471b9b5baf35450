"""What became of each request, read back from BigQuery and compared with what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from google.cloud import bigquery
from rich.console import Console

from beam_jobs.runs.dead_letter import ErrorCode
from examples.babyweight.requests import RequestFile
from examples.demo.report import new_table


@dataclass(frozen=True)
class Fate:
    """One row of the unique views."""

    request_id: str
    model_version: str
    error_code: str | None
    """None of a request that was scored."""


def read_fates(client: bigquery.Client, dataset: str, since: date) -> list[Fate]:
    """Of every request that was published on that day (UTC) or later."""
    sql = f"""
        SELECT request_id, model_version, CAST(NULL AS STRING) AS error_code
        FROM `{dataset}.babyweight_predictions_live_unique` WHERE publish_date >= @since
        UNION ALL
        SELECT request_id, model_version, error_code
        FROM `{dataset}.babyweight_dead_letters_live_unique` WHERE publish_date >= @since"""
    config = bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter("since", "DATE", since)]
    )
    return [Fate(*row.values()) for row in client.query_and_wait(sql, job_config=config)]


def differences(
    sent: RequestFile, ids: Sequence[str], fates: Sequence[Fate], careless: str | None = None
) -> list[str]:
    """Everything in which the tables are not what was sent; nothing when the books close.

    careless: the version of the model that may fail, if any.
    """
    return [*_misplaced(ids, fates), *_misjudged(sent, ids, fates, careless)]


def show_fates(console: Console, ids: Sequence[str], fates: Sequence[Fate]) -> None:
    """A line per model and outcome."""
    table = new_table(f"{len(ids):,} requests were sent")
    for heading in ("model", "outcome"):
        table.add_column(heading)
    table.add_column("requests", justify="right")
    found = Counter((fate.model_version, _outcome(fate)) for fate in fates)
    for (version, outcome), count in sorted(found.items()):
        table.add_row(version, outcome, f"{count:,}")
    table.add_row("all", "", f"{len(fates):,}")
    console.print(table)


def _outcome(fate: Fate) -> str:
    if fate.error_code is None:
        return "scored"
    failed = fate.error_code == ErrorCode.PREDICTION_FAILED
    return "dead letter: the model failed" if failed else "dead letter: a broken request"


def _misplaced(ids: Sequence[str], fates: Sequence[Fate]) -> Iterator[str]:
    wanted, there = Counter(ids), Counter(fate.request_id for fate in fates)
    if missing := wanted - there:
        yield f"{missing.total()} requests are nowhere: {min(missing)} …"
    if surplus := there - wanted:
        yield f"{surplus.total()} rows too many: {min(surplus)} …"


def _misjudged(
    sent: RequestFile, ids: Sequence[str], fates: Sequence[Fate], careless: str | None
) -> Iterator[str]:
    """Broken requests must be dead letters for the right reason, others scored, unless the careless
    model could not."""
    place = {name: number % len(sent.payloads) for number, name in enumerate(ids)}
    for fate in fates:
        broken = sent.broken.get(place.get(fate.request_id, -1))
        failed = fate.error_code == ErrorCode.PREDICTION_FAILED and fate.model_version == careless
        if fate.error_code != broken and not (failed and broken is None):
            outcome, expected = fate.error_code or "scored", broken or "scored"
            yield f"{fate.request_id} is {outcome} by {fate.model_version}, not {expected}"
