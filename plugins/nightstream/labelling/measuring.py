"""Measures in BigQuery what a comparison is worth, and keeps it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import TYPE_CHECKING

from beam_jobs.spec.release import Metric
from nightstream.labelling.files import LabelError
from nightstream.labelling.queries import (
    Comparison,
    contradictions_query,
    impossible_query,
    merge_statement,
    quality_query,
)
from nightstream.tables import TableId
from nightstream.tables.quality import quality_schema

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, QueryJob

log = logging.getLogger(__name__)


class MeasuringFailedError(Exception):
    """The figures could not be kept; measuring again starts another job."""


@dataclass(frozen=True)
class Measurement:
    """What is measured, of which nights."""

    service: str
    compared: Comparison
    metric: Metric
    first: date
    last: date
    """Inclusive."""


def check(client: Client, measurement: Measurement) -> None:
    """Raises LabelError where labels contradict each other, or fit the metric not."""
    from nightstream.hooks.bigquery import selected_rows

    days = {"first": measurement.first, "last": measurement.last}
    compared, metric = measurement.compared, measurement.metric
    found = [
        f"{row['key']!r} of {row['score_date']}: {row['lowest']:g} and {row['highest']:g}"
        for row in selected_rows(client, contradictions_query(compared), days)
    ]
    if found:
        raise LabelError(
            f"keys of {compared.labels.table} have different labels, as "
            f"{'; '.join(found)}. Remedy: keep one label for each key"
            + ("" if compared.labels.night else ", or name the column of its night in labels.night")
        )
    query = impossible_query(compared, metric)
    wrong = [
        f"{row['key']!r} of {row['score_date']}: label {row['lowest']:g}, "
        f"prediction {row['predicted']:g}"
        for row in (selected_rows(client, query, days) if query else ())
    ]
    if wrong:
        raise LabelError(
            f"{metric} wants labels of 0 and 1"
            + (" and predictions from 0 to 1" if metric == "log_loss" else "")
            + f", and there are {'; '.join(wrong)}. Remedy: mend the labels, or choose another "
            "labels.metric"
        )


def keep(client: Client, measurement: Measurement, table: TableId, run: tuple[str, str]) -> int:
    """Merges the figures into the table; how many rows are new or changed.

    run: DAG and run id. The statements of one DAG run are never at work together, since two that
    find no row would both insert one: each has the next free number in its id, and starts when
    the one before it has ended. Raises MeasuringFailedError.
    """
    last: QueryJob | None = None
    for job_id in _chain(table, measurement.service, run):
        if last is not None:
            _wait(last)
        job = _started(client, job_id, measurement, table)
        if job is not None:
            _wait(job)
            if job.error_result:
                raise MeasuringFailedError(f"{job_id}: {job.error_result.get('message')}")
            return int(job.num_dml_affected_rows or 0)
        last = client.get_job(job_id)  # type: ignore[assignment]
    raise AssertionError("a chain has no end")


def _chain(table: TableId, service: str, run: tuple[str, str]) -> Iterator[str]:
    identity = "\n".join((str(table), service, *run))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return (f"nightstream-quality-{digest}-{number}" for number in count(1))


def _started(
    client: Client, job_id: str, measurement: Measurement, table: TableId
) -> QueryJob | None:
    """The job, or None where the id was used before."""
    from google.api_core.exceptions import Conflict
    from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

    compared = measurement.compared
    values = (
        ("first", "DATE", measurement.first),
        ("last", "DATE", measurement.last),
        ("service", "STRING", measurement.service),
        ("output", "STRING", compared.output.name),
        ("metric", "STRING", measurement.metric),
    )
    config = QueryJobConfig(
        query_parameters=[ScalarQueryParameter(*value) for value in values],
        labels={"nightstream": "quality"},
    )
    statement = merge_statement(
        table, quality_schema(), quality_query(compared, measurement.metric)
    )
    try:
        return client.query(statement, job_id=job_id, job_config=config, job_retry=None)
    except Conflict:
        log.info("%s was started before", job_id)
        return None


def _wait(job: QueryJob) -> None:
    from google.api_core.exceptions import GoogleAPICallError

    try:
        job.result()
    except GoogleAPICallError:
        job.reload()
