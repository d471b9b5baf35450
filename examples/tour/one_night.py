"""One night as two services published it: are their predictions the same?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from google.cloud import bigquery
from rich.console import Console

from examples.demo.report import new_table

_AS_GOOD_AS_EQUAL = 1e-9
"""Pounds. Rows go to the model in other batches, so that sums may differ in the last digit."""


@dataclass(frozen=True)
class TwoNights:
    """What BigQuery holds of one night, by two services that read the same files."""

    rows: tuple[int, int]
    """Predictions of each."""
    dead: tuple[int, int]
    """Dead letters of each."""
    shared: int
    """Rows that stand at the same place of the same file in both."""
    furthest: float | None
    """By how much the predictions for one row differ at most, in pounds; None without any."""
    deployed_models: tuple[str, ...]
    """Ids of the deployed models that answered the second service."""


def read_two_nights(
    client: bigquery.Client, dataset: str, services: Sequence[str], night: date
) -> TwoNights:
    worker, endpoint = services
    sql = f"""
        WITH worker AS (SELECT * FROM `{dataset}.{worker}_predictions` WHERE score_date = @night),
        endpoint AS (SELECT * FROM `{dataset}.{endpoint}_predictions` WHERE score_date = @night),
        shared AS (
            SELECT ABS(worker.predicted_weight_pounds - endpoint.predicted_weight_pounds) AS apart
            FROM worker JOIN endpoint USING (source_uri, source_position))
        SELECT
            (SELECT COUNT(*) FROM worker) AS worker_rows,
            (SELECT COUNT(*) FROM endpoint) AS endpoint_rows,
            (SELECT COUNT(*) FROM `{dataset}.{worker}_dead_letters`
             WHERE score_date = @night) AS worker_dead,
            (SELECT COUNT(*) FROM `{dataset}.{endpoint}_dead_letters`
             WHERE score_date = @night) AS endpoint_dead,
            (SELECT COUNT(*) FROM shared) AS shared,
            (SELECT MAX(apart) FROM shared) AS furthest,
            ARRAY(SELECT DISTINCT deployed_model_id FROM endpoint
                  WHERE deployed_model_id IS NOT NULL) AS deployed_models"""
    config = bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter("night", "DATE", night)]
    )
    (row,) = client.query_and_wait(sql, job_config=config)
    return TwoNights(
        rows=(row.worker_rows, row.endpoint_rows),
        dead=(row.worker_dead, row.endpoint_dead),
        shared=row.shared,
        furthest=row.furthest,
        deployed_models=tuple(row.deployed_models),
    )


def disagreements(nights: TwoNights, scored: int, dead: int) -> list[str]:
    """Everything in which the two are not the same night; nothing when they agree."""
    found = []
    if nights.rows != (scored, scored):
        found.append(f"{scored} good rows were sent, {nights.rows} are published")
    if nights.dead != (dead, dead):
        found.append(f"{dead} broken rows were sent, {nights.dead} are dead letters")
    if nights.shared != scored:
        found.append(f"{nights.shared} of {scored} rows are the same in both")
    if nights.furthest is None or nights.furthest > _AS_GOOD_AS_EQUAL:
        found.append(f"predictions for one row differ by {nights.furthest} lb")
    if len(nights.deployed_models) != 1:
        found.append(f"one deployed model was to answer, and not {list(nights.deployed_models)}")
    return [f"the night by worker and by endpoint: {what}" for what in found]


def show_two_nights(console: Console, nights: TwoNights) -> None:
    """A line for each of the two, and how far they are apart."""
    table = new_table("The night, as BigQuery holds it")
    for heading in ("scored by", "scored", "dead"):
        table.add_column(heading, justify="left" if heading == "scored by" else "right")
    models = ", ".join(nights.deployed_models)
    for who, scored, dead in zip(
        ("the worker", f"deployed model {models}"), nights.rows, nights.dead, strict=True
    ):
        table.add_row(who, f"{scored:,}", f"{dead:,}")
    console.print(table)
    console.print(
        f"  {nights.shared:,} rows are in both; their predictions differ by at most "
        f"{nights.furthest} lb",
        highlight=False,
        soft_wrap=True,
    )
