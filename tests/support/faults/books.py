"""The books of a night: what stands in BigQuery and in the work bucket, and whether it may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import bigquery

from nightstream.publishing.ledger import Ledger
from nightstream.publishing.ledgers import LedgerFile, ledger_uri
from nightstream.scoring.claims import claims_of
from nightstream.scoring.jobs import job_prefix
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.night_output import NIGHT
from tests.support.turns import DagRun

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Books:
    """What one night's tables hold."""

    predictions: Rows
    dead_letters: Rows


def books(service: Service, client: bigquery.Client) -> Books:
    """Every row of the night's two partitions, in a fixed order."""
    return Books(
        *(
            _rows(
                client,
                f"SELECT * FROM `{_dataset(service)}.{service.spec.service}_{part}` "
                f"WHERE score_date = '{NIGHT}' ORDER BY {order}",
            )
            for part, order in (
                ("predictions", "source_uri, source_position"),
                ("dead_letters", "source_uri, source_position, payload"),
            )
        )
    )


def differences(
    service: Service, client: bigquery.Client, runs: Sequence[DagRun], flawless: Mapping[str, Books]
) -> list[str]:
    """All that is wrong after those DAG runs, the only ones of their ids.

    flawless: by model, the books of a run that nothing happened to.
    """
    return [
        *_ledger(service),
        *_partition(service, client, flawless),
        *_recorded(service, client, runs),
        *_left_behind(service),
    ]


def _ledger(service: Service) -> Iterator[str]:
    ledger = read_ledger(service)
    if ledger.lease or ledger.intent:
        yield f"a publication is still under way: {ledger}"


def _partition(
    service: Service, client: bigquery.Client, flawless: Mapping[str, Books]
) -> Iterator[str]:
    published = read_ledger(service).published
    if published is None:
        yield "nothing is published"
    elif books(service, client) != flawless[published.intent.night.model_version]:
        yield "the partitions do not hold what a run without faults leaves there"


def _recorded(service: Service, client: bigquery.Client, runs: Sequence[DagRun]) -> Iterator[str]:
    wanted = [(run.run_id, run.xcoms["resolve", "return_value"]["run_key"]) for run in runs]
    names = ", ".join(f"'{run.run_id}'" for run in runs)
    query = f"SELECT * FROM `{_dataset(service)}.scoring_runs` WHERE run_id IN ({names})"
    found = _rows(client, query)
    if sorted((row["run_id"], row["run_key"]) for row in found) != sorted(wanted):
        yield f"scoring_runs holds {found}, wanted is one row for each of {wanted}"
    for row in found:
        if row["rows_in"] != row["rows_scored"] + row["rows_dead"]:
            yield f"the recorded row does not add up: {row}"


def _left_behind(service: Service) -> Iterator[str]:
    work = service.environment.buckets.work
    yield from (
        f"claim {standing.claim}"
        for standing in claims_of(service.objects, work, service.spec.service)
    )
    yield from (
        f"job {job} is active" for job in service.dataflow.active(job_prefix(service.spec.service))
    )


def read_ledger(service: Service) -> Ledger:
    work = service.environment.buckets.work
    return LedgerFile(service.objects, ledger_uri(work, service.spec.service, NIGHT)).read()[0]


def _rows(client: bigquery.Client, query: str) -> Rows:
    return [dict(row) for row in client.query(query).result()]


def _dataset(service: Service) -> str:
    return f"{service.environment.project}.{service.environment.bigquery.dataset}"
