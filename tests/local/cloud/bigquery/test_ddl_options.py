"""OPTIONS of CREATE, and ALTER TABLE."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery

from tests.support.bigquery_tables import FIELD, rows_of


def test_a_table_is_created_with_its_options(client: bigquery.Client, dataset: str) -> None:
    client.query(
        f"CREATE TABLE {dataset}.t (day DATE, a INT64 NOT NULL OPTIONS(description='key')) "
        "PARTITION BY day OPTIONS(description='of the night', friendly_name='nights', "
        "labels=[('team', 'night')], partition_expiration_days=1.5, "
        "expiration_timestamp=TIMESTAMP '2100-01-02 03:04:05+00')"
    ).result()
    found = client.get_table(f"{dataset}.t")
    assert (found.description, found.friendly_name) == ("of the night", "nights")
    assert found.labels == {"team": "night"}
    assert found.time_partitioning.expiration_ms == 36 * 60 * 60 * 1000
    assert found.expires == datetime(2100, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.schema[1] == FIELD("a", "INTEGER", "REQUIRED", description="key")
    client.query(f"CREATE VIEW {dataset}.v OPTIONS(description='all') AS SELECT 1 AS a").result()
    assert client.get_table(f"{dataset}.v").description == "all"


def test_columns_are_added_and_relaxed(client: bigquery.Client, dataset: str) -> None:
    client.query(f"CREATE TABLE {dataset}.t (a INT64 NOT NULL)").result()
    client.query(f"INSERT INTO {dataset}.t (a) VALUES (1)").result()
    altered = client.query(
        f"ALTER TABLE {dataset}.t ADD COLUMN b STRING OPTIONS(description='new'), "
        "ADD COLUMN IF NOT EXISTS a INT64"
    )
    altered.result()
    assert (altered.statement_type, altered.ddl_operation_performed) == ("ALTER_TABLE", "ALTER")
    client.query(f"ALTER TABLE {dataset}.t ALTER COLUMN a DROP NOT NULL").result()
    assert client.get_table(f"{dataset}.t").schema == [
        FIELD("a", "INTEGER"),
        FIELD("b", "STRING", description="new"),
    ]
    client.query(f"INSERT INTO {dataset}.t (b) VALUES ('x')").result()
    assert rows_of(client, f"SELECT a, b FROM {dataset}.t ORDER BY a") == [(None, "x"), (1, None)]


def test_set_options_replaces_labels_and_null_takes_away(
    client: bigquery.Client, dataset: str
) -> None:
    client.query(
        f"CREATE TABLE {dataset}.t (a INT64) OPTIONS(description='x', labels=[('a', 'b')])"
    ).result()
    client.query(
        f"ALTER TABLE {dataset}.t SET OPTIONS(description=NULL, labels=[('c', 'd')], "
        "expiration_timestamp=TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY))"
    ).result()
    found = client.get_table(f"{dataset}.t")
    assert (found.description, found.labels) == (None, {"c": "d"})
    left = found.expires - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(days=1)


def test_wrong_changes_are_refused(client: bigquery.Client, dataset: str) -> None:
    client.query(f"CREATE TABLE {dataset}.t (a INT64)").result()
    for change, complaint in (
        ("ADD COLUMN a STRING", "Column already exists: a"),
        ("ADD COLUMN b STRING NOT NULL", "Cannot add required fields"),
        ("ALTER COLUMN z DROP NOT NULL", "Column not found: z"),
        ("SET OPTIONS(partition_expiration_days=1)", "for partitioned tables only"),
        ("SET OPTIONS(labels='a')", "labels are an array of pairs"),
    ):
        with pytest.raises(BadRequest, match=complaint):
            client.query(f"ALTER TABLE {dataset}.t {change}").result()
    assert client.get_table(f"{dataset}.t").schema == [FIELD("a", "INTEGER")]
    with pytest.raises(NotFound):
        client.query(f"ALTER TABLE {dataset}.none ADD COLUMN b STRING").result()
    skipped = client.query(f"ALTER TABLE IF EXISTS {dataset}.none ADD COLUMN b STRING")
    skipped.result()
    assert skipped.ddl_operation_performed == "SKIP"
