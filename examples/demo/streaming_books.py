"""Reads the scored requests back from BigQuery, and compares them with what was sent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from google.cloud import bigquery

from examples.babyweight.requests import RequestFile
from examples.demo.books import PROMISED_RMSE
from examples.demo.metrics import JobMetrics


@dataclass(frozen=True)
class FoundRequests:
    """The requests of some days as the unique views hold them."""

    scored: tuple[dict[str, Any], ...]
    """Rows of predictions, in the order in which the requests were published."""
    dead: tuple[dict[str, Any], ...]
    """Rows of dead letters."""

    @property
    def dead_by_code(self) -> dict[str, int]:
        return dict(Counter(row["error_code"] for row in self.dead))

    def milliseconds(self, id_prefix: str) -> list[float]:
        """From published to predicted, ascending, of the requests whose ids begin so."""
        took = (
            row["scored_at"] - row["published_at"]
            for row in self.scored
            if row["request_id"].startswith(id_prefix)
        )
        return sorted(seconds.total_seconds() * 1000 for seconds in took)

    @property
    def rmse(self) -> float:
        """Of the predictions against the true weights, in pounds; nan where there are none."""
        errors = [row["predicted_weight_pounds"] - row["weight_pounds"] for row in self.scored]
        if not errors:
            return math.nan
        return math.sqrt(sum(error * error for error in errors) / len(errors))


def read_requests(client: bigquery.Client, dataset: str, since: date) -> FoundRequests:
    """Every request that was published on that day (UTC) or later."""

    def rows(sql: str) -> tuple[dict[str, Any], ...]:
        config = bigquery.QueryJobConfig(
            query_parameters=[bigquery.ScalarQueryParameter("since", "DATE", since)]
        )
        return tuple(dict(row) for row in client.query(sql.format(dataset=dataset), config))

    return FoundRequests(
        scored=rows("""
            SELECT request_id, is_male, mother_age, plurality, gestation_weeks, weight_pounds,
                   predicted_weight_pounds, model_version, published_at, scored_at
            FROM `{dataset}.babyweight_predictions_live_unique`
            WHERE publish_date >= @since ORDER BY published_at, request_id"""),
        dead=rows("""
            SELECT request_id, error_code, error_message, payload
            FROM `{dataset}.babyweight_dead_letters_live_unique`
            WHERE publish_date >= @since ORDER BY published_at, request_id"""),
    )


def request_ids(prefix: str, count: int) -> list[str]:
    """The ids that the sender gives to so many requests."""
    return [f"{prefix}{index}" for index in range(count)]


def differences(
    sent: RequestFile, ids: Sequence[str], found: FoundRequests, metrics: JobMetrics
) -> list[str]:
    """Everything in which the tables, or the job's metrics, are not what was sent; nothing when
    the books close. `ids` names the requests, in their order."""
    return [*_misplaced(sent, ids, found), *_miscounted(sent, metrics), *_untrusted(found)]


def _misplaced(sent: RequestFile, ids: Sequence[str], found: FoundRequests) -> Iterator[str]:
    good = [name for index, name in enumerate(ids) if index not in sent.broken]
    broken = {ids[i]: (str(code), sent.payloads[i]) for i, code in sent.broken.items()}
    for table, expected, rows in (
        ("predictions", good, found.scored),
        ("dead letters", broken, found.dead),
    ):
        wanted, there = Counter(list(expected)), Counter(row["request_id"] for row in rows)
        if missing := wanted - there:
            yield f"{missing.total()} requests are not among the {table}: {min(missing)} …"
        if surplus := there - wanted:
            yield f"{surplus.total()} rows too many are among the {table}: {min(surplus)} …"
    for row in found.dead:
        letter = (row["error_code"], row["payload"])
        was = broken.get(row["request_id"], letter)
        if letter != was:
            yield f"the dead letter of {row['request_id']} is {letter}, not {was}"


def _miscounted(sent: RequestFile, metrics: JobMetrics) -> Iterator[str]:
    counted = {name: metrics.counter(name) for name in ("requests", "scored", "dead")}
    broken = len(sent.broken)
    expected = {"requests": len(sent.payloads), "scored": sent.scored, "dead": broken}
    if counted != expected:
        yield f"the job's metrics say {counted}, expected was {expected}"
    if metrics.dead != sent.dead:
        yield f"the job's metrics say dead {metrics.dead}, expected was {sent.dead}"


def _untrusted(found: FoundRequests) -> Iterator[str]:
    versions = sorted({row["model_version"] for row in found.scored})
    if len(versions) != 1:
        yield f"the predictions are of model versions {versions}, not 1"
    if not found.rmse <= PROMISED_RMSE:
        yield f"RMSE {found.rmse} lb is above {PROMISED_RMSE} lb"
