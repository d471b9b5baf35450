"""From an audited run to its partition, in the real local BigQuery."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from nightstream.publishing.ledger import Ledger
from nightstream.publishing.ledgers import LedgerFile, ledger_uri
from nightstream.runs import Outcome, PublishedRun
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.local_cloud import PROJECT
from tests.support.night_output import NIGHT, score_without_a_job
from tests.support.specs import a_service
from tests.support.turns import DagRun


@pytest.fixture
def client(service: Service) -> bigquery.Client:
    client = bigquery.Client(PROJECT, AnonymousCredentials(), location="US")
    client.create_dataset(service.environment.bigquery.dataset)
    return client


def scored(service: Service, run_id: str, **output: Any) -> DagRun:
    """A DAG run whose task `audit` is done."""
    run = DagRun(run_id)
    work = service.environment.buckets.work
    score_without_a_job(run, service.spec, work, service.objects, **output)
    service.task("audit", run).finish()
    return run


def publish(service: Service, run: DagRun, try_number: int = 1) -> PublishedRun:
    """Runs the task; what it hands on, though it is skipped."""
    run.xcoms.pop(("publish", "return_value"), None)
    try:
        service.task("publish", run, try_number).finish()
    except AirflowSkipException:
        assert ("publish", "return_value") in run.xcoms
    return PublishedRun.model_validate(run.xcoms["publish", "return_value"])


def rows(client: bigquery.Client, service: Service, part: str = "predictions") -> dict[str, int]:
    """Rows in the night's partition, by model version."""
    dataset = service.environment.bigquery.dataset
    query = (
        f"SELECT model_version, COUNT(*) AS n FROM `{PROJECT}.{dataset}.weights_{part}` "
        f"WHERE score_date = '{NIGHT}' GROUP BY model_version"
    )
    return {row.model_version: row.n for row in client.query(query).result()}


def file(service: Service) -> LedgerFile:
    return LedgerFile(
        service.objects, ledger_uri(service.environment.buckets.work, "weights", NIGHT)
    )


def ledger(service: Service) -> Ledger:
    return file(service).read()[0]


def let_the_lease_lapse(service: Service) -> None:
    """What time would do."""
    now, generation = file(service).read()
    assert now.lease is not None
    past = now.lease.expires_at - timedelta(hours=1)
    file(service).swap(now.leased(now.lease.holder, past), generation)


def test_a_night_replaces_its_partitions(service: Service, client: bigquery.Client) -> None:
    run = scored(service, "one", rows=100, dead=1)
    published = publish(service, run)
    assert published.outcome is Outcome.PUBLISHED
    assert published.sequence == 1
    dataset = service.environment.bigquery.dataset
    assert published.partition == f"{PROJECT}.{dataset}.weights_predictions$20260105"
    assert rows(client, service) == {"v1": 99}
    assert rows(client, service, "dead_letters") == {"v1": 1}
    predictions = client.get_table(f"{PROJECT}.{dataset}.weights_predictions")
    assert predictions.time_partitioning.field == "score_date"
    assert predictions.clustering_fields == ["id"]
    dead = client.get_table(f"{PROJECT}.{dataset}.weights_dead_letters")
    assert dead.clustering_fields == ["error_code"]
    job = client.get_job(published.predictions_load, location="US")
    assert job.output_rows == 99


def test_the_asset_event_carries_rows_run_key_and_model_version(
    service: Service, client: bigquery.Client
) -> None:
    run = scored(service, "one", rows=5)
    publish(service, run)
    [(asset, event)] = run.events.items()
    assert asset.name == "weights_predictions"
    assert event.extra["rows"] == 5
    assert event.extra["model_version"] == "v1"
    assert event.extra["run_key"] == ledger(service).published.run_key
    assert rows(client, service) == {"v1": 5}


def test_the_same_work_of_another_dag_run_is_skipped(
    service: Service, client: bigquery.Client
) -> None:
    first = publish(service, scored(service, "one"))
    run = scored(service, "two")
    with pytest.raises(AirflowSkipException, match="published already, by weights_batch run one"):
        service.task("publish", run).finish()
    second = PublishedRun.model_validate(run.xcoms["publish", "return_value"])
    assert second.outcome is Outcome.SKIPPED_IDENTICAL
    assert second.predictions_load == first.predictions_load
    assert run.events == {}
    assert rows(client, service) == {"v1": 3}


def test_a_retry_after_everything_was_done_says_published(
    service: Service, client: bigquery.Client
) -> None:
    run = scored(service, "one")
    assert publish(service, run) == publish(service, run, try_number=2)
    assert rows(client, service) == {"v1": 3}


def test_going_back_to_an_older_model_publishes_again(
    service: Service, client: bigquery.Client
) -> None:
    old = scored(service, "one", model="v1")
    new = scored(service, "two", model="v2")
    sequences = []
    for run, try_number, model in ((old, 1, "v1"), (new, 1, "v2"), (old, 2, "v1")):
        sequences.append(publish(service, run, try_number).sequence)
        assert rows(client, service) == {model: 3}
    assert sequences == [1, 2, 3]


def test_a_night_without_rows_replaces_its_partition_too(
    service: Service, client: bigquery.Client
) -> None:
    publish(service, scored(service, "one", rows=3, dead=0))
    assert publish(service, scored(service, "two", rows=0)).outcome is Outcome.PUBLISHED
    assert rows(client, service) == {}


def test_a_dry_run_publishes_nothing(service: Service, client: bigquery.Client) -> None:
    run = scored(service, "one", dry_run=True)
    with pytest.raises(AirflowSkipException, match="dry run"):
        service.task("publish", run).finish()
    assert publish(service, run).outcome is Outcome.DRY_RUN
    assert ledger(service) == Ledger()
    assert list(client.list_tables(service.environment.bigquery.dataset)) == []


def test_a_new_field_becomes_a_nullable_column(service: Service, client: bigquery.Client) -> None:
    publish(service, scored(service, "one"))
    more = [
        *service.spec.input.model_dump(mode="json")["fields"],
        {"name": "age", "type": "integer"},
    ]
    service.spec = a_service(input={"fields": more})
    publish(service, scored(service, "two"))
    table = client.get_table(
        f"{PROJECT}.{service.environment.bigquery.dataset}.weights_predictions"
    )
    assert {f.name: (f.field_type, f.mode) for f in table.schema}["age"] == ("INTEGER", "NULLABLE")
    assert rows(client, service) == {"v1": 3}


def test_a_changed_type_is_refused_before_anything_is_loaded(
    service: Service, client: bigquery.Client
) -> None:
    publish(service, scored(service, "one"))
    fields = [{"name": "id", "type": "string"}, {"name": "weeks", "type": "integer"}]
    service.spec = a_service(input={"fields": fields})
    with pytest.raises(
        AirflowFailException, match="column weeks is FLOAT in the table and INTEGER"
    ):
        publish(service, scored(service, "two"))
    assert ledger(service).last_sequence == 1
    assert rows(client, service) == {"v1": 3}


def test_a_failed_load_is_not_adopted(service: Service, client: bigquery.Client) -> None:
    run = scored(service, "one")
    [uri] = [
        info.uri
        for info in service.objects.list(f"gs://{service.environment.buckets.work}/")
        if "predictions" in info.uri
    ]
    content = service.objects.read(uri)
    service.objects.put(uri, b"broken")
    with pytest.raises(AirflowException, match=r"weights-20260105-predictions-.* failed: "):
        publish(service, run)
    assert ledger(service).published is None
    service.objects.put(uri, content)
    publish(service, run, try_number=2)
    published = ledger(service).published
    assert published is not None
    assert published.intent.attempt == 2
    assert rows(client, service) == {"v1": 3}


WRITES = [("POST", r"/upload/storage/", step) for step in range(4)]
LOADS = [("POST", r"/bigquery/v2/projects/[^/]+/jobs", step) for step in range(2)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("method", "path", "skip"), [*WRITES, *LOADS])
def test_a_publisher_killed_at_any_step_is_finished_by_its_retry(
    service: Service, client: bigquery.Client, method: str, path: str, skip: int, when: str
) -> None:
    run = scored(service, "one", rows=100, dead=1)
    kill_at(service, run, kind="hang", method=method, path=path, skip=skip, times=1, when=when)
    published = publish(service, run, try_number=2)
    assert published.outcome is Outcome.PUBLISHED
    assert published.sequence == 1
    assert rows(client, service) == {"v1": 99}
    assert rows(client, service, "dead_letters") == {"v1": 1}
    standing = ledger(service).published
    assert standing is not None
    assert standing.intent.attempt == 1


@pytest.mark.parametrize("step", [0, 1])
def test_a_killed_publisher_is_settled_by_the_next_dag_run(
    service: Service, client: bigquery.Client, step: int
) -> None:
    killed = scored(service, "one", model="v1")
    method, path, skip = LOADS[step]
    kill_at(service, killed, kind="hang", method=method, path=path, skip=skip, times=1)
    begun = ledger(service).intent
    assert begun is not None
    let_the_lease_lapse(service)
    assert publish(service, scored(service, "two", model="v2")).sequence == 2
    assert rows(client, service) == {"v2": 3}
    burnt = client.get_job(begun.predictions_job, location="US")
    assert burnt.job_type == "query"


def test_two_dag_runs_at_once_publish_one_after_the_other(
    service: Service, client: bigquery.Client
) -> None:
    runs = {model: scored(service, model, rows=5, model=model) for model in ("v1", "v2", "v3")}
    threads = [threading.Thread(target=publish, args=(service, run)) for run in runs.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [
        PublishedRun.model_validate(run.xcoms["publish", "return_value"]) for run in runs.values()
    ]
    assert sorted(d.sequence or 0 for d in done) == [1, 2, 3]
    standing = ledger(service).published
    assert standing is not None
    assert rows(client, service) == {standing.intent.night.model_version: 5}
    ids = [load for d in done for load in (d.dead_letters_load, d.predictions_load)]
    spans = sorted(
        (job.started, job.ended) for job in (client.get_job(i, location="US") for i in ids)
    )
    assert all(ended <= started for (_, ended), (started, _) in pairwise(spans))


def kill_at(service: Service, run: DagRun, **fault: Any) -> None:
    """Publishes in a process of its own, which dies at the fault."""
    service.cloud.inject(**fault)
    process = multiprocessing.get_context("fork").Process(target=publish, args=(service, run))
    process.start()
    while not any(
        armed["injected"] for armed in service.cloud.call("GET", "/_local/faults")["faults"]
    ):
        assert process.is_alive()
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    service.cloud.heal()
