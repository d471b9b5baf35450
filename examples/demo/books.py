"""Reads the published nights back from BigQuery, and compares them with what was sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from google.cloud import bigquery

from examples.babyweight.nights import Night

PROMISED_RMSE = 1.15
"""Pounds. A third of the rows are scored without an ultrasound, hence above the model's own."""


@dataclass(frozen=True)
class PublishedNight:
    """One night as BigQuery holds it."""

    score_date: date
    scored: int
    dead: dict[str, int]
    rmse: float | None
    """Of the predictions against the true weights, in pounds."""
    model_versions: tuple[str, ...]
    runs: tuple[dict[str, Any], ...]
    """Rows of scoring_runs, oldest first."""


def read_nights(
    client: bigquery.Client, dataset: str, nights: Iterable[date]
) -> list[PublishedNight]:
    """The published nights, in the order asked for."""
    dates = list(nights)

    def rows(sql: str) -> list[dict[str, Any]]:
        config = bigquery.QueryJobConfig(
            query_parameters=[bigquery.ArrayQueryParameter("nights", "DATE", dates)]
        )
        return [dict(row) for row in client.query(sql.format(dataset=dataset), config).result()]

    predictions = rows("""
        SELECT score_date, model_version, COUNT(*) AS scored,
               SQRT(AVG(POW(predicted_weight_pounds - weight_pounds, 2))) AS rmse
        FROM `{dataset}.babyweight_predictions`
        WHERE score_date IN UNNEST(@nights) GROUP BY score_date, model_version""")
    dead = rows("""
        SELECT score_date, error_code, COUNT(*) AS rows_dead
        FROM `{dataset}.babyweight_dead_letters`
        WHERE score_date IN UNNEST(@nights) GROUP BY score_date, error_code""")
    runs = rows("""
        SELECT * FROM `{dataset}.scoring_runs`
        WHERE service = 'babyweight' AND score_date IN UNNEST(@nights) ORDER BY recorded_at""")
    return [
        PublishedNight(
            score_date=night,
            scored=sum(row["scored"] for row in predictions if row["score_date"] == night),
            dead={r["error_code"]: r["rows_dead"] for r in dead if r["score_date"] == night},
            rmse=next((r["rmse"] for r in predictions if r["score_date"] == night), None),
            model_versions=tuple(
                sorted(r["model_version"] for r in predictions if r["score_date"] == night)
            ),
            runs=tuple(row for row in runs if row["score_date"] == night),
        )
        for night in dates
    ]


def differences(sent: Night, published: PublishedNight) -> list[str]:
    """Everything in which a published night is not what was sent; nothing when the books close."""
    found = []
    if published.scored != sent.scored:
        found.append(f"{sent.scored} good rows were sent, {published.scored} are published")
    for code in sorted({*sent.dead, *published.dead}):
        expected, actual = sent.dead.get(code, 0), published.dead.get(code, 0)
        if expected != actual:
            found.append(f"{expected} rows were sent with fault {code}, {actual} are dead letters")
    if len(published.model_versions) != 1:
        found.append(f"the partition holds model versions {list(published.model_versions)}, not 1")
    if published.rmse is None or not published.rmse <= PROMISED_RMSE:
        found.append(f"RMSE {published.rmse} lb is above {PROMISED_RMSE} lb")
    counted = [(run["rows_in"], run["rows_scored"], run["rows_dead"]) for run in published.runs]
    expected_counts = (sent.rows, sent.scored, sum(sent.dead.values()))
    if counted != [expected_counts]:
        found.append(
            f"scoring_runs says (in, scored, dead) {counted}, once {expected_counts} was expected"
        )
    return [f"{sent.score_date}: {difference}" for difference in found]


def sample_predictions(
    client: bigquery.Client, dataset: str, night: date, count: int = 5
) -> list[dict[str, Any]]:
    """A few published rows of a night, with where each came from."""
    sql = f"""
        SELECT key, is_male, mother_age, plurality, gestation_weeks, weight_pounds,
               predicted_weight_pounds, model_version, source_uri, source_position
        FROM `{dataset}.babyweight_predictions` WHERE score_date = @night
        ORDER BY key LIMIT {count}"""
    config = bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter("night", "DATE", night)]
    )
    return [dict(row) for row in client.query(sql, config).result()]
