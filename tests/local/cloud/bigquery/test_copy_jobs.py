"""Copy jobs: tables and partitions, one source or several, dispositions, what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import Put
from tests.support.bigquery_live import live_table, row
from tests.support.bigquery_tables import (
    FIELD,
    NIGHT_SCHEMA,
    TRUNCATE,
    night,
    nights_table,
    partitions_of,
    rows_of,
)

FIRST, SECOND = date(2024, 1, 1), date(2024, 1, 2)


@pytest.fixture
def nights(client: bigquery.Client, dataset: str, put: Put) -> str:
    """Two nights, of two and of three rows."""
    table = nights_table(client, dataset)
    for day, rows in ((FIRST, 2), (SECOND, 3)):
        uri = put(night(day, rows, float(rows)))
        client.load_table_from_uri(uri, f"{table}${day:%Y%m%d}", job_config=TRUNCATE).result()
    return table


def copy(
    client: bigquery.Client, sources: str | list[str], destination: str, **options: str
) -> bigquery.CopyJob:
    config = bigquery.CopyJobConfig(**options)
    job = client.copy_table(sources, destination, job_config=config)
    job.result()
    return job


def test_a_copy_has_the_rows_the_schema_and_the_partitions(
    client: bigquery.Client, nights: str
) -> None:
    job = copy(client, nights, f"{nights}_copy")
    found = client.get_table(f"{nights}_copy")
    assert found.schema == NIGHT_SCHEMA
    assert (found.time_partitioning.field, found.clustering_fields) == ("score_date", ["key"])
    assert partitions_of(client, f"{nights}_copy") == {"20240101": 2, "20240102": 3}
    resource = job._properties
    size = str(client.get_table(nights).num_bytes)
    assert resource["statistics"]["copy"] == {"copiedRows": "5", "copiedLogicalBytes": size}
    assert resource["configuration"]["jobType"] == "COPY"


def test_one_partition_is_copied_over_another_tables_own(
    client: bigquery.Client, nights: str, put: Put
) -> None:
    other = nights_table(client, nights.split(".")[1], "other")
    for day in (FIRST, SECOND):
        client.load_table_from_uri(
            put(night(day, 9)), other, job_config=bigquery.LoadJobConfig(source_format="PARQUET")
        ).result()
    target = f"{other}$20240101"
    copy(client, f"{nights}$20240101", target, write_disposition="WRITE_TRUNCATE")
    assert partitions_of(client, other) == {"20240101": 2, "20240102": 9}
    with pytest.raises(BadRequest, match="belong to different partitions"):
        copy(client, f"{nights}$20240102", target, write_disposition="WRITE_APPEND")
    assert partitions_of(client, other) == {"20240101": 2, "20240102": 9}


def test_several_tables_become_one(client: bigquery.Client, nights: str) -> None:
    copy(client, f"{nights}$20240102", f"{nights}_second")
    copy(client, [nights, f"{nights}_second"], f"{nights}_both")
    assert partitions_of(client, f"{nights}_both") == {"20240101": 2, "20240102": 6}


def test_dispositions_decide_about_a_table_that_is_there(
    client: bigquery.Client, nights: str
) -> None:
    target = f"{nights}_copy"
    with pytest.raises(NotFound, match="Not found: Table"):
        copy(client, nights, target, create_disposition="CREATE_NEVER")
    copy(client, nights, target)
    with pytest.raises(Conflict, match="Already Exists: Table"):
        copy(client, nights, target)
    copy(client, nights, target, write_disposition="WRITE_APPEND")
    assert client.get_table(target).num_rows == 10
    copy(client, nights, target, write_disposition="WRITE_TRUNCATE")
    assert client.get_table(target).num_rows == 5


def test_an_appended_table_must_have_the_same_columns_and_partitions(
    client: bigquery.Client, dataset: str, nights: str
) -> None:
    rows_of(
        client,
        f"CREATE TABLE {dataset}.less PARTITION BY score_date CLUSTER BY key AS "
        "SELECT DATE '2024-01-01' AS score_date, 'a' AS key",
    )
    rows_of(
        client,
        f"CREATE TABLE {dataset}.more PARTITION BY score_date CLUSTER BY key AS "
        f"SELECT *, 1 AS extra FROM {dataset}.nights",
    )
    rows_of(
        client,
        f"CREATE TABLE {dataset}.monthly PARTITION BY "
        f"DATE_TRUNC(score_date, MONTH) AS SELECT * FROM {dataset}.nights",
    )
    project = client.project
    for source, complaint in (
        ("less", "Field score is missing in new schema"),
        ("more", r"Cannot add fields \(field: extra\)"),
        ("monthly", "Incompatible table partitioning specification"),
    ):
        with pytest.raises(BadRequest, match=complaint):
            copy(client, f"{project}.{dataset}.{source}", nights, write_disposition="WRITE_APPEND")
    with pytest.raises(BadRequest, match="does not match Table"):
        copy(client, [nights, f"{project}.{dataset}.more"], f"{project}.{dataset}.new")
    assert client.get_table(nights).num_rows == 5


def test_rows_in_the_streaming_buffer_are_not_copied(client: bigquery.Client, dataset: str) -> None:
    table = live_table(client, dataset)
    assert client.insert_rows_json(table, [row("a")]) == []
    copy(client, table, f"{table}_copy")
    assert client.get_table(f"{table}_copy").num_rows == 0


def test_required_columns_and_results_of_queries_are_copied(
    client: bigquery.Client, dataset: str
) -> None:
    table = bigquery.Table(f"{client.project}.{dataset}.r", [FIELD("a", "INTEGER", "REQUIRED")])
    client.create_table(table)
    copy(client, str(table.reference), f"{client.project}.{dataset}.r2")
    assert client.get_table(f"{dataset}.r2").schema == [FIELD("a", "INTEGER", "REQUIRED")]
    query = client.query("SELECT 1 AS a UNION ALL SELECT 2")
    query.result()
    copy(client, query.destination, f"{client.project}.{dataset}.kept")
    assert rows_of(client, f"SELECT SUM(a) FROM {dataset}.kept") == [(3,)]


def test_what_cannot_be_copied_is_refused_by_name(
    client: bigquery.Client, dataset: str, nights: str
) -> None:
    client.query(f"CREATE VIEW {dataset}.v AS SELECT 1 AS a").result()
    with pytest.raises(BadRequest, match="not allowed for this operation because of its type"):
        copy(client, f"{client.project}.{dataset}.v", f"{nights}_copy")
    with pytest.raises(NotFound, match="Not found: Table"):
        copy(client, f"{nights}_none", f"{nights}_copy")
    with pytest.raises(GoogleAPICallError, match="does not support copies of operationType SNAP"):
        copy(client, nights, f"{nights}_copy", operation_type="SNAPSHOT")
    with pytest.raises(GoogleAPICallError, match="does not support copies of a table into itself"):
        copy(client, nights, nights, write_disposition="WRITE_APPEND")
