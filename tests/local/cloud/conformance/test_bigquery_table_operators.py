"""The google provider's operators and sensors for BigQuery's datasets and tables."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.providers.google.cloud.operators.bigquery import (
    BigQueryCreateEmptyDatasetOperator,
    BigQueryCreateRoutineOperator,
    BigQueryCreateTableOperator,
    BigQueryDeleteDatasetOperator,
    BigQueryDeleteTableOperator,
    BigQueryGetDatasetOperator,
    BigQueryGetDatasetTablesOperator,
    BigQueryUpdateDatasetOperator,
    BigQueryUpdateTableOperator,
    BigQueryUpdateTableSchemaOperator,
    BigQueryUpsertTableOperator,
)
from airflow.providers.google.cloud.sensors.bigquery import (
    BigQueryTableExistenceSensor,
    BigQueryTablePartitionExistenceSensor,
)
from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud.bigquery import SchemaField, Table

from tests.support.airflow_tasks import TaskRun, run
from tests.support.local_cloud import PROJECT

FIELDS = [
    {"name": "name", "type": "STRING", "mode": "REQUIRED"},
    {"name": "salary", "type": "INTEGER", "mode": "NULLABLE"},
]


PARTITIONED = {
    "schema": {"fields": [{"name": "day", "type": "DATE"}]},
    "timePartitioning": {"type": "DAY", "field": "day"},
}


def create(dataset: str, table: str, **how: Any) -> None:
    resource = how.pop("resource", {"schema": {"fields": FIELDS}})
    where = {"task_id": "t", "project_id": PROJECT, "dataset_id": dataset, "table_id": table}
    run(BigQueryCreateTableOperator(**where, table_resource=resource, **how))


def insert(rows: str) -> None:
    BigQueryHook(use_legacy_sql=False).get_client(PROJECT).query_and_wait(f"INSERT INTO {rows}")


def table(dataset: str, name: str) -> Table:
    return BigQueryHook(use_legacy_sql=False).get_client(PROJECT).get_table(f"{dataset}.{name}")


def columns(schema: Sequence[SchemaField]) -> list[tuple[str, str, str]]:
    return [(field.name, field.field_type, field.mode) for field in schema]


def test_a_dataset_is_made_described_and_deleted_with_its_tables(dataset: str) -> None:
    of = {"task_id": "t", "project_id": PROJECT, "dataset_id": dataset}
    with pytest.raises(AirflowException, match="already exists"):
        run(BigQueryCreateEmptyDatasetOperator(**of, if_exists="fail"))
    run(
        BigQueryUpdateDatasetOperator(
            **of, dataset_resource={"description": "of tests", "labels": {"tier": "gold"}}
        )
    )
    shown = run(BigQueryGetDatasetOperator(**of))
    assert (shown["description"], shown["labels"]) == ("of tests", {"tier": "gold"})
    create(dataset, "x")
    with pytest.raises(GoogleAPICallError, match="still in use"):
        run(BigQueryDeleteDatasetOperator(**of))
    run(BigQueryDeleteDatasetOperator(**of, delete_contents=True))
    with pytest.raises(NotFound):
        run(BigQueryGetDatasetOperator(**of))


def test_tables_and_views_are_made_listed_and_deleted(dataset: str) -> None:
    create(dataset, "plain")
    made = Table(f"{PROJECT}.{dataset}.of_object", [SchemaField("x", "INTEGER")])
    create(dataset, "of_object", resource=made.to_api_repr())
    query = f"SELECT * FROM `{PROJECT}.{dataset}.plain`"
    create(dataset, "seen", resource={"view": {"query": query, "useLegacySql": False}})
    listed = run(BigQueryGetDatasetTablesOperator(task_id="t", dataset_id=dataset))
    assert [t["tableId"] for t in listed] == ["of_object", "plain", "seen"]
    for name in ("seen", "plain"):
        run(
            BigQueryDeleteTableOperator(
                task_id="t", deletion_dataset_table=f"{PROJECT}.{dataset}.{name}"
            )
        )
    listed = run(BigQueryGetDatasetTablesOperator(task_id="t", dataset_id=dataset))
    assert [t["tableId"] for t in listed] == ["of_object"]


def test_a_tables_schema_comes_from_an_object(dataset: str, bucket: str) -> None:
    GCSHook().upload(bucket, "schema.json", data=json.dumps(FIELDS))
    create(dataset, "x", resource={}, gcs_schema_object=f"gs://{bucket}/schema.json")
    assert columns(table(dataset, "x").schema) == [
        ("name", "STRING", "REQUIRED"),
        ("salary", "INTEGER", "NULLABLE"),
    ]


def test_tables_are_described_and_their_columns_too(dataset: str) -> None:
    create(dataset, "x")
    of = {"task_id": "t", "project_id": PROJECT, "dataset_id": dataset, "table_id": "x"}
    run(
        BigQueryUpdateTableOperator(
            **of,
            fields=["friendlyName", "description"],
            table_resource={"friendlyName": "people", "description": "who works here"},
        )
    )
    run(
        BigQueryUpdateTableSchemaOperator(
            **of,
            schema_fields_updates=[
                {"name": "name", "description": "of the employee"},
                {"name": "salary", "description": "by month"},
            ],
        )
    )
    seen = table(dataset, "x")
    assert (seen.friendly_name, seen.description) == ("people", "who works here")
    assert [field.description for field in seen.schema] == ["of the employee", "by month"]


def test_a_table_is_made_or_changed_by_an_upsert(dataset: str) -> None:
    soon = int(time.time()) + 300
    for expires in (soon, soon + 300):
        resource = {"tableReference": {"tableId": "x"}, "expirationTime": expires * 1000}
        upsert = BigQueryUpsertTableOperator(
            task_id="t", project_id=PROJECT, dataset_id=dataset, table_resource=resource
        )
        run(upsert)
        assert table(dataset, "x").expires.timestamp() == expires


@pytest.mark.parametrize("deferrable", [False, True])
def test_sensors_see_a_table_and_a_partition_that_come_later(
    dataset: str, deferrable: bool
) -> None:
    sense = {"task_id": "t", "project_id": PROJECT, "dataset_id": dataset, "table_id": "x"}
    sense |= {"poke_interval": 0.2, "deferrable": deferrable}
    later = threading.Timer(0.5, create, [dataset, "x"], {"resource": PARTITIONED})
    later.start()
    table_task = TaskRun(BigQueryTableExistenceSensor(**sense))
    table_task.finish()
    later.join()
    later = threading.Timer(0.5, insert, [f"{dataset}.x (day) VALUES ('2026-01-05')"])
    later.start()
    day_task = TaskRun(BigQueryTablePartitionExistenceSensor(**sense, partition_id="20260105"))
    day_task.finish()
    later.join()
    assert table(dataset, "x").num_rows == 1
    assert bool(table_task.deferred) is deferrable
    assert bool(day_task.deferred) is deferrable


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ({"materializedView": {"query": "SELECT 1 AS x"}}, "materialized"),
        ({"schema": {"fields": [{"name": "x", "type": "GEOGRAPHY"}]}}, "GEOGRAPHY"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    dataset: str, resource: dict[str, Any], named: str
) -> None:
    with pytest.raises(GoogleAPICallError, match=named) as refused:
        create(dataset, "x", resource=resource)
    assert refused.value.code == 501


def test_routines_are_refused_by_name(dataset: str) -> None:
    routine = {"routineType": "SCALAR_FUNCTION", "language": "SQL", "definitionBody": "1"}
    operator = BigQueryCreateRoutineOperator(
        task_id="t",
        project_id=PROJECT,
        dataset_id=dataset,
        routine_id="one",
        routine_resource=routine,
    )
    with pytest.raises(GoogleAPICallError, match="outines") as refused:
        run(operator)
    assert refused.value.code == 501
