"""The google provider's operators for BigQuery's jobs: queries, checks, loads, copies, extracts."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, TaskDeferred
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.providers.google.cloud.operators.bigquery import (
    BigQueryCheckOperator,
    BigQueryCreateTableOperator,
    BigQueryGetDataOperator,
    BigQueryInsertJobOperator,
    BigQueryIntervalCheckOperator,
    BigQueryValueCheckOperator,
)
from airflow.providers.google.cloud.sensors.bigquery import BigQueryStreamingBufferEmptySensor
from airflow.providers.google.cloud.transfers.bigquery_to_bigquery import (
    BigQueryToBigQueryOperator,
)
from airflow.providers.google.cloud.transfers.bigquery_to_gcs import BigQueryToGCSOperator
from airflow.providers.google.cloud.transfers.gcs_to_bigquery import GCSToBigQueryOperator
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.support.airflow_tasks import TaskRun, point_hooks_at, run
from tests.support.local_cloud import PROJECT, LocalCloud

CSV = "name,n\nada,1\nbob,2\n"
FIELDS = [
    {"name": "name", "type": "STRING", "mode": "NULLABLE"},
    {"name": "n", "type": "INTEGER", "mode": "NULLABLE"},
]
SLOW = (
    "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 12000)) a, UNNEST(GENERATE_ARRAY(1, 12000)) b "
    "WHERE MOD(a * b, 7) = 3"
)
"""Takes more than the moment that the service may wait before it answers."""
FROM_QUERY = {"project_id": PROJECT, "location": "US", "use_legacy_sql": False}


@pytest.fixture
def words(dataset: str, bucket: str) -> str:
    """A table of two rows, loaded from an object: `dataset.words`."""
    GCSHook().upload(bucket, "words.csv", data=CSV)
    run(
        GCSToBigQueryOperator(
            task_id="t",
            bucket=bucket,
            source_objects=["*.csv"],
            destination_project_dataset_table=f"{PROJECT}.{dataset}.words",
            schema_fields=FIELDS,
            skip_leading_rows=1,
            autodetect=False,
            write_disposition="WRITE_TRUNCATE",
        )
    )
    return f"{dataset}.words"


def job(configuration: dict[str, Any], **how: Any) -> BigQueryInsertJobOperator:
    return BigQueryInsertJobOperator(
        task_id="t", project_id=PROJECT, location="US", configuration=configuration, **how
    )


def query(sql: Any, **more: Any) -> dict[str, Any]:
    return {"query": {"query": sql, "useLegacySql": False, **more}}


def rows(sql: str) -> list[tuple[Any, ...]]:
    found = BigQueryHook(use_legacy_sql=False).get_client(PROJECT, "US").query_and_wait(sql)
    return [tuple(row.values()) for row in found]


def split(name: str) -> dict[str, str]:
    dataset, table = name.split(".")
    return {"projectId": PROJECT, "datasetId": dataset, "tableId": table}


def data(table: str, **how: Any) -> Any:
    dataset, name = table.split(".")
    of = {"table_project_id": PROJECT, "dataset_id": dataset, "table_id": name, "location": "US"}
    return run(BigQueryGetDataOperator(task_id="t", **of, use_legacy_sql=False, **how))


def test_a_table_is_loaded_from_objects_and_read(words: str) -> None:
    # The operator does not look at the types: values are as the REST API writes them.
    assert sorted(data(words)) == [("ada", "1"), ("bob", "2")]
    assert data(words, selected_fields="n", max_results=1, as_dict=True) == [{"n": "1"}]
    assert sorted(data(words, deferrable=True)) == [["ada", 1], ["bob", 2]]


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_load_waits_for_its_job(dataset: str, bucket: str, deferrable: bool) -> None:
    GCSHook().upload(bucket, "words.ndjson", data='{"name": "ada", "n": 1}\n')
    load = GCSToBigQueryOperator(
        task_id="t",
        bucket=bucket,
        source_objects=["words.ndjson"],
        destination_project_dataset_table=f"{PROJECT}.{dataset}.loaded",
        source_format="NEWLINE_DELIMITED_JSON",
        schema_fields=FIELDS,
        autodetect=False,
        cluster_fields=["name"],
        labels={"team": "night"},
        description="words",
        max_id_key="n",
        project_id=PROJECT,
        deferrable=deferrable,
    )
    assert run(load) == "1"
    assert rows(f"SELECT * FROM {dataset}.loaded") == [("ada", 1)]


def test_queries_write_and_save(words: str) -> None:
    run(job(query(f"INSERT {words} VALUES ('eve', 3)", priority="BATCH")))
    saved = split(f"{words}_saved")
    run(job(query(f"SELECT * FROM {words}", destinationTable=saved)))
    assert rows(f"SELECT count(*), sum(n) FROM {words}_saved") == [(3, 6)]


def test_a_slow_query_is_waited_for_by_a_trigger(dataset: str) -> None:
    saved = split(f"{dataset}.counted")
    task = TaskRun(job(query(SLOW, destinationTable=saved), deferrable=True, poll_interval=0.1))
    job_id = task.finish()
    assert task.deferred == ["BigQueryInsertJobTrigger"]
    assert (
        BigQueryHook(use_legacy_sql=False)
        .get_job(job_id=job_id, project_id=PROJECT, location="US")
        .state
        == "DONE"
    )
    assert len(rows(f"SELECT * FROM {dataset}.counted")) == 1


def test_a_check_of_a_slow_query_is_waited_for_by_a_trigger(words: str) -> None:
    sql = SLOW.replace("WHERE", f"JOIN {words} ON n = 1 WHERE")
    check = {"task_id": "t", **FROM_QUERY, "sql": sql, "deferrable": True, "poll_interval": 0.1}
    task = TaskRun(BigQueryCheckOperator(**check))
    task.finish()
    assert task.deferred == ["BigQueryCheckTrigger"]


def test_a_failing_query_fails_its_task(dataset: str) -> None:
    with pytest.raises(AirflowException, match="Not found: Table"):
        run(job(query(f"SELECT * FROM {dataset}.nothing"), deferrable=True))


def test_a_retry_waits_for_the_job_that_it_started(dataset: str) -> None:
    once = {
        "configuration": query(SLOW, destinationTable=split(f"{dataset}.counted")),
        "job_id": f"once_{uuid.uuid4().hex}",
        "force_rerun": False,
        "reattach_states": {"PENDING", "RUNNING"},
    }
    killed = TaskRun(job(**once, deferrable=True))
    with pytest.raises(TaskDeferred):
        killed.operator.execute(killed.context)
    assert run(job(**once)) == killed.operator.job_id
    with pytest.raises(AirflowException, match="already exists and is in DONE state"):
        run(job(**once))


def test_a_table_is_copied(words: str) -> None:
    run(
        BigQueryToBigQueryOperator(
            task_id="t",
            source_project_dataset_tables=f"{PROJECT}.{words}",
            destination_project_dataset_table=f"{PROJECT}.{words}_copy",
            location="US",
        )
    )
    copied = {"copy": {"sourceTable": split(words), "destinationTable": split(f"{words}_again")}}
    run(job(copied))
    for name in ("copy", "again"):
        assert rows(f"SELECT sum(n) FROM {words}_{name}") == [(3,)]


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_table_is_written_to_objects(words: str, bucket: str, deferrable: bool) -> None:
    run(
        BigQueryToGCSOperator(
            task_id="t",
            source_project_dataset_table=f"{PROJECT}.{words}",
            destination_cloud_storage_uris=[f"gs://{bucket}/out/words-*.csv"],
            project_id=PROJECT,
            deferrable=deferrable,
        )
    )
    [name] = GCSHook().list(bucket, prefix="out/")
    assert sorted(GCSHook().download(bucket, name).decode().split()) == ["ada,1", "bob,2", "name,n"]


@pytest.mark.parametrize("deferrable", [False, True])
def test_checks_pass_and_fail(words: str, deferrable: bool) -> None:
    check = {"task_id": "t", **FROM_QUERY, "deferrable": deferrable}
    count = f"SELECT count(*) FROM {words}"
    run(BigQueryCheckOperator(**check, sql=count))
    run(BigQueryValueCheckOperator(**check, sql=count, pass_value=2))
    with pytest.raises(AirflowException, match="Test failed"):
        run(BigQueryCheckOperator(**check, sql=f"{count} WHERE n > 5"))
    with pytest.raises(AirflowException, match="Test failed"):
        run(BigQueryValueCheckOperator(**check, sql=count, pass_value=3))


def test_a_metric_is_compared_with_an_earlier_day(dataset: str) -> None:
    days = {"schema": {"fields": [{"name": "ds", "type": "DATE"}]}}
    run(
        BigQueryCreateTableOperator(
            task_id="t",
            project_id=PROJECT,
            dataset_id=dataset,
            table_id="days",
            table_resource=days,
        )
    )
    run(job(query(f"INSERT {dataset}.days VALUES ('2026-01-04'), ('2026-01-05'), ('2026-01-05')")))
    # Twice as many as on the day before.
    for ratio, passes in ((3, True), (1.5, False)):
        check = BigQueryIntervalCheckOperator(
            task_id="t",
            **FROM_QUERY,
            table=f"{dataset}.days",
            days_back=-1,
            metrics_thresholds={"COUNT(*)": ratio},
        )
        task = TaskRun(check)
        check.render_template_fields(task.context)
        with contextlib.nullcontext() if passes else pytest.raises(AirflowException):
            task.finish()


@pytest.fixture
def streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A table with a row in its streaming buffer, where buffers keep rows for a second."""
    cloud = LocalCloud(tmp_path / "cloud", ["--streaming-buffer", "1"]).start()
    cloud.point_clients_here(monkeypatch)
    point_hooks_at(cloud.url, monkeypatch)
    hook = BigQueryHook(use_legacy_sql=False)
    client = hook.get_client(PROJECT)
    client.create_dataset("live")
    client.create_table(bigquery.Table(f"{PROJECT}.live.x", [bigquery.SchemaField("n", "INT64")]))
    hook.insert_all(
        project_id=PROJECT, dataset_id="live", table_id="x", rows=[{"n": 1}], fail_on_error=True
    )
    yield "live.x"
    cloud.end()


def test_a_sensor_waits_until_the_streaming_buffer_is_empty(streamed: str) -> None:
    update = query(f"UPDATE {streamed} SET n = 2 WHERE n = 1")
    with pytest.raises(BadRequest, match="streaming buffer"):
        run(job(update))
    where = {"project_id": PROJECT, "dataset_id": "live", "table_id": "x"}
    for deferrable in (True, False):
        run(
            BigQueryStreamingBufferEmptySensor(
                task_id="t", **where, poke_interval=0.2, deferrable=deferrable
            )
        )
    run(job(update))
    assert rows(f"SELECT n FROM {streamed}") == [(2,)]
