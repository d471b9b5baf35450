"""Datasets, tables and views."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import (
    BadRequest,
    Conflict,
    MethodNotImplemented,
    NotFound,
    PreconditionFailed,
)
from google.cloud import bigquery

from tests.support.bigquery_tables import FIELD, nights_table, rows_of


def test_a_dataset_keeps_its_location_labels_and_description(client: bigquery.Client) -> None:
    dataset = bigquery.Dataset(f"{client.project}.d_{uuid.uuid4().hex}")
    dataset.location, dataset.labels, dataset.description = "europe-west4", {"a": "1"}, "nights"
    client.create_dataset(dataset)
    found = client.get_dataset(dataset.dataset_id)
    assert (found.location, found.labels, found.description) == (
        "europe-west4",
        {"a": "1"},
        "nights",
    )


def test_a_dataset_list_obeys_its_filter(client: bigquery.Client) -> None:
    label = f"l{uuid.uuid4().hex[:8]}"
    made = [bigquery.Dataset(f"{client.project}.{label}_{i}") for i in range(2)]
    made[0].labels = {label: "yes"}
    made[1].labels = {label: "no"}
    for dataset in made:
        client.create_dataset(dataset)
    found = client.list_datasets(filter=f"labels.{label}:yes")
    assert [d.dataset_id for d in found] == [f"{label}_0"]
    assert len(list(client.list_datasets(filter=f"labels.{label}", page_size=1))) == 2


def test_a_second_dataset_of_a_name_is_a_conflict(client: bigquery.Client, dataset: str) -> None:
    with pytest.raises(Conflict, match="Already Exists: Dataset"):
        client.create_dataset(dataset)


def test_a_patch_changes_only_what_it_names(client: bigquery.Client, dataset: str) -> None:
    found = client.get_dataset(dataset)
    found.labels, found.description = {"team": "a"}, "first"
    found = client.update_dataset(found, ["labels", "description"])
    found.labels = {"team": None, "env": "test"}
    changed = client.update_dataset(found, ["labels"])
    assert (changed.labels, changed.description) == ({"env": "test"}, "first")


def test_a_dataset_with_tables_is_deleted_only_with_its_contents(
    client: bigquery.Client, dataset: str
) -> None:
    table = nights_table(client, dataset)
    with pytest.raises(BadRequest, match="still in use"):
        client.delete_dataset(dataset)
    client.delete_dataset(dataset, delete_contents=True)
    with pytest.raises(NotFound, match="Not found: Dataset"):
        client.get_table(table)


def test_a_table_keeps_schema_partitioning_clustering_and_labels(
    client: bigquery.Client, dataset: str
) -> None:
    table = bigquery.Table(
        f"{client.project}.{dataset}.t",
        schema=[
            FIELD("d", "DATE", "REQUIRED", description="the night"),
            FIELD("n", "NUMERIC"),
            FIELD("tags", "STRING", "REPEATED"),
            FIELD("at", "RECORD", fields=[FIELD("x", "INTEGER")]),
        ],
    )
    table.time_partitioning = bigquery.TimePartitioning(field="d", expiration_ms=3_600_000)
    table.clustering_fields, table.labels, table.description = ["n"], {"a": "b"}, "about"
    client.create_table(table)
    found = client.get_table(table)
    assert found.schema == table.schema
    assert found.time_partitioning == table.time_partitioning
    assert (found.clustering_fields, found.labels) == (["n"], {"a": "b"})
    assert (found.description, found.num_rows, found.num_bytes) == ("about", 0, 0)
    assert [t.table_id for t in client.list_tables(dataset)] == ["t"]


def test_counts_of_rows_and_bytes_follow_the_rows(client: bigquery.Client, dataset: str) -> None:
    table = nights_table(client, dataset)
    rows_of(client, f"INSERT INTO {dataset}.nights VALUES ('2024-01-01', 'abc', 1.5)")
    found = client.get_table(table)
    assert (found.num_rows, found.num_bytes) == (1, 8 + (2 + 3) + 8)


def test_nullable_columns_may_be_added_and_nothing_else(
    client: bigquery.Client, dataset: str
) -> None:
    table = client.get_table(nights_table(client, dataset))
    rows_of(client, f"INSERT INTO {dataset}.nights VALUES ('2024-01-01', 'a', 1)")
    original = list(table.schema)
    table.schema = [*original, FIELD("model", "STRING")]
    table = client.update_table(table, ["schema"])
    assert rows_of(client, f"SELECT key, model FROM {dataset}.nights") == [("a", None)]
    refused = {
        "missing": original[1:],
        "changed type": [FIELD("score_date", "STRING"), *table.schema[1:]],
        "required": [*table.schema, FIELD("more", "STRING", "REQUIRED")],
        "changed mode": [FIELD("score_date", "DATE", "REQUIRED"), *table.schema[1:]],
    }
    for message, schema in refused.items():
        table.schema = schema
        with pytest.raises(BadRequest, match=message):
            client.update_table(table, ["schema"])


def test_a_change_based_on_an_old_version_is_refused(client: bigquery.Client, dataset: str) -> None:
    first = client.get_table(nights_table(client, dataset))
    second = client.get_table(first)
    second.description = "second"
    client.update_table(second, ["description"])
    first.description = "first"
    with pytest.raises(PreconditionFailed):
        client.update_table(first, ["description"])


def test_a_view_answers_with_the_rows_of_its_query(client: bigquery.Client, dataset: str) -> None:
    nights_table(client, dataset)
    rows_of(
        client,
        f"INSERT INTO {dataset}.nights VALUES ('2024-01-01', 'a', 1), ('2024-01-02', 'b', 2)",
    )
    view = bigquery.Table(f"{client.project}.{dataset}.best")
    view.view_query = (
        f"SELECT key AS k, score FROM `{client.project}.{dataset}.nights` WHERE score > 1"
    )
    created = client.create_table(view)
    assert (created.table_type, [f.name for f in created.schema]) == ("VIEW", ["k", "score"])
    assert rows_of(client, f"SELECT b.k FROM {dataset}.best AS b") == [("b",)]
    nested = bigquery.Table(f"{client.project}.{dataset}.count")
    nested.view_query = f"SELECT count(*) AS n FROM `{client.project}.{dataset}.best`"
    client.create_table(nested)
    assert rows_of(client, f"SELECT n FROM {dataset}.count") == [(1,)]
    with pytest.raises(BadRequest, match="view"):
        rows_of(client, f"DELETE FROM {dataset}.best WHERE true")


def test_a_partition_is_deleted_alone(client: bigquery.Client, dataset: str) -> None:
    table = nights_table(client, dataset)
    rows_of(
        client,
        f"INSERT INTO {dataset}.nights VALUES ('2024-01-01', 'a', 1), ('2024-01-02', 'b', 2)",
    )
    client.delete_table(f"{table}$20240101")
    assert rows_of(client, f"SELECT key FROM {dataset}.nights") == [("b",)]


def test_partitions_and_columns_stand_in_the_information_schema(
    client: bigquery.Client, dataset: str
) -> None:
    nights_table(client, dataset)
    rows_of(
        client,
        f"INSERT INTO {dataset}.nights (score_date, key) "
        "VALUES ('2024-01-01', 'a'), ('2024-01-01', 'b'), (NULL, 'c')",
    )
    found = rows_of(
        client,
        f"SELECT partition_id, total_rows FROM {dataset}.INFORMATION_SCHEMA.PARTITIONS "
        "ORDER BY partition_id",
    )
    assert found == [("20240101", 2), ("__NULL__", 1)]
    columns = rows_of(
        client,
        "SELECT column_name, data_type, is_partitioning_column, clustering_ordinal_position "
        f"FROM {dataset}.INFORMATION_SCHEMA.COLUMNS ORDER BY ordinal_position",
    )
    assert columns == [
        ("score_date", "DATE", "YES", None),
        ("key", "STRING", "NO", 1),
        ("score", "FLOAT64", "NO", None),
    ]
    tables = rows_of(client, f"SELECT table_name FROM {dataset}.INFORMATION_SCHEMA.TABLES")
    assert tables == [("nights",)]


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        ({"timePartitioning": {"type": "DAY"}}, "ingestion-time"),
        ({"rangePartitioning": {"field": "n"}}, "rangePartitioning"),
        ({"schema": {"fields": [{"name": "g", "type": "GEOGRAPHY"}]}}, "GEOGRAPHY"),
        ({"encryptionConfiguration": {"kmsKeyName": "k"}}, "encryptionConfiguration"),
        ({"view": {"query": "SELECT 1", "useLegacySql": True}}, "legacy SQL"),
    ],
)
def test_a_table_option_that_is_not_supported_is_refused_by_name(
    client: bigquery.Client, dataset: str, change: dict[str, object], feature: str
) -> None:
    reference = {"projectId": client.project, "datasetId": dataset, "tableId": "t"}
    table = bigquery.Table.from_api_repr({"tableReference": reference, **change})
    with pytest.raises((MethodNotImplemented, BadRequest), match=feature):
        client.create_table(table, retry=None)


def test_a_partition_expires_its_time_after_its_day(client: bigquery.Client, dataset: str) -> None:
    table = bigquery.Table(f"{client.project}.{dataset}.t", schema=[FIELD("d", "DATE")])
    table.time_partitioning = bigquery.TimePartitioning(field="d", expiration_ms=86_400_000)
    found = client.create_table(table)
    assert found.time_partitioning.expiration_ms == 86_400_000


def test_partitions_are_listed_and_shown_as_tables(client: bigquery.Client, dataset: str) -> None:
    table = nights_table(client, dataset)
    assert client.list_partitions(table) == []
    client.query_and_wait(
        f"INSERT INTO {dataset}.nights (score_date, key) "
        "VALUES ('2026-01-05', 'a'), ('2026-01-05', 'b'), ('2026-01-06', 'c'), (NULL, 'd')"
    )
    assert client.list_partitions(table) == ["20260105", "20260106", "__NULL__"]
    shown = client.get_table(f"{table}$20260105")
    assert (shown.table_id, shown.num_rows, shown.num_bytes) == ("nights$20260105", 2, 22)
    assert [row["key"] for row in client.list_rows(shown)] == ["a", "b"]
    client.create_table(f"{table}_plain")
    with pytest.raises(BadRequest, match="not partitioned"):
        client.list_partitions(f"{table}_plain")


def test_a_dataset_keeps_its_access_entries_and_denies_nobody(
    client: bigquery.Client, dataset: str
) -> None:
    found = client.get_dataset(dataset)
    entries = [bigquery.AccessEntry("READER", "userByEmail", "somebody@example.com")]
    found.access_entries = entries
    client.update_dataset(found, ["access_entries"])
    assert client.get_dataset(dataset).access_entries == entries
    client.create_table(f"{client.project}.{dataset}.x")


def test_tables_expire_as_their_dataset_says_unless_they_say_otherwise(
    client: bigquery.Client, dataset: str
) -> None:
    found = client.get_dataset(dataset)
    found.default_table_expiration_ms = 7_200_000
    found.default_partition_expiration_ms = 86_400_000
    client.update_dataset(found, ["default_table_expiration_ms", "default_partition_expiration_ms"])
    table = client.get_table(nights_table(client, dataset))
    assert table.expires - table.created == timedelta(hours=2)
    assert table.time_partitioning.expiration_ms == 86_400_000
    own = bigquery.Table(f"{client.project}.{dataset}.own", schema=[FIELD("n", "INT64")])
    own.expires = datetime(2100, 1, 1, tzinfo=UTC)
    client.create_table(own)
    assert client.get_table(own).expires == own.expires
