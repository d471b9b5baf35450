"""Query jobs: parameters, pages, destinations, DML and DDL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound
from google.cloud import bigquery

from tests.support.bigquery_tables import FIELD, nights_table, partitions_of, rows_of

SCALAR, ARRAY = bigquery.ScalarQueryParameter, bigquery.ArrayQueryParameter


def fill(client: bigquery.Client, dataset: str) -> str:
    """A nights table with rows (2024-01-01, a, 1), (2024-01-01, b, 2), (2024-01-02, c, 3)."""
    table = nights_table(client, dataset)
    rows_of(
        client,
        f"INSERT INTO {dataset}.nights (score_date, key, score) "
        "VALUES ('2024-01-01', 'a', 1), ('2024-01-01', 'b', 2), (DATE '2024-01-02', 'c', 3)",
    )
    return table


def test_named_parameters_of_every_type(client: bigquery.Client) -> None:
    values = {
        "INT64": 7,
        "FLOAT64": 0.5,
        "BOOL": True,
        "STRING": "it's",
        "BYTES": b"\x00\xff",
        "DATE": date(2024, 1, 2),
        "DATETIME": datetime.fromisoformat("2024-01-02T03:04:05"),
        "TIMESTAMP": datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "NUMERIC": Decimal("1.25"),
    }
    parameters = [SCALAR(f"p_{kind}", kind, value) for kind, value in values.items()]
    columns = ", ".join(f"@p_{kind}" for kind in values)
    found = rows_of(client, f"SELECT {columns}", query_parameters=parameters)
    assert found == [tuple(values.values())]
    nulls = [SCALAR(f"p_{kind}", kind, None) for kind in values]
    assert rows_of(client, f"SELECT {columns}", query_parameters=nulls) == [(None,) * len(values)]


def test_positional_and_array_parameters(client: bigquery.Client) -> None:
    found = rows_of(
        client,
        "SELECT ? + 1, x FROM UNNEST(?) AS x WHERE x > ?",
        query_parameters=[
            SCALAR(None, "INT64", 1),
            ARRAY(None, "INT64", [1, 2, 3]),
            SCALAR(None, "INT64", 2),
        ],
    )
    assert found == [(2, 3)]
    with pytest.raises(BadRequest, match="Query parameter 'missing' not found"):
        rows_of(client, "SELECT @missing")


def test_columns_without_a_name_are_numbered(client: bigquery.Client) -> None:
    found = client.query_and_wait("SELECT 1, 'x' AS named, 2 + 3")
    assert [field.name for field in found.schema] == ["f0_", "named", "f1_"]
    with pytest.raises(BadRequest, match="Duplicate column names"):
        client.query_and_wait("SELECT 1 AS a, 2 AS a", job_retry=None)


def test_results_come_in_pages_and_in_order(client: bigquery.Client) -> None:
    job = client.query("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS x ORDER BY x DESC")
    pages = [[row["x"] for row in page] for page in job.result(page_size=1000).pages]
    assert [len(page) for page in pages] == [1000, 1000, 500]
    assert [x for page in pages for x in page] == list(range(2500, 0, -1))
    assert list(job.result(page_size=1000))[-1].values() == (1,)
    again = client.get_job(job.job_id)
    assert [row["x"] for row in again.result(start_index=2498)] == [2, 1]


def test_rows_of_a_table_come_in_pages_with_the_fields_asked_for(
    client: bigquery.Client, dataset: str
) -> None:
    table = client.get_table(fill(client, dataset))
    found = client.list_rows(table, selected_fields=[FIELD("key", "STRING")], page_size=2)
    assert [row.values() for row in found] == [("a",), ("b",), ("c",)]
    assert found.total_rows == 3
    assert [r.values() for r in client.list_rows(table, start_index=2)] == [
        (date(2024, 1, 2), "c", 3.0)
    ]


def test_a_dry_run_tells_schema_and_bytes_and_writes_nothing(
    client: bigquery.Client, dataset: str
) -> None:
    fill(client, dataset)
    config = bigquery.QueryJobConfig(dry_run=True)
    job = client.query(f"SELECT key, SUM(score) AS s FROM {dataset}.nights GROUP BY key", config)
    assert (job.state, job.total_bytes_processed) == ("DONE", 3 * (3 + 8))
    assert [(f.name, f.field_type) for f in job.schema] == [("key", "STRING"), ("s", "FLOAT")]
    assert [t.table_id for t in job.referenced_tables] == ["nights"]
    with pytest.raises(BadRequest, match="Unrecognized name: nope"):
        client.query(f"SELECT nope FROM {dataset}.nights", config, job_retry=None, retry=None)


@pytest.mark.parametrize(
    ("sql", "kind", "size"),
    [
        # A row is 8 + 3 + 8 bytes; what is rewritten counts once more, with all of its columns.
        ("INSERT INTO {d}.nights (key) SELECT key FROM {d}.nights", "INSERT", 3 * 3),
        ("INSERT INTO {d}.nights (key) VALUES ('x')", "INSERT", 0),
        ("DELETE FROM {d}.nights WHERE key = 'a'", "DELETE", 3 * 3 + 3 * 19),
        (
            "UPDATE {d}.nights SET score = 1 WHERE score_date = '2024-01-02'",
            "UPDATE",
            8 + 19,
        ),
        (
            "MERGE {d}.nights t USING (SELECT 'a' AS key) s ON t.key = s.key "
            "WHEN MATCHED THEN DELETE",
            "MERGE",
            3 * 3 + 3 * 19,
        ),
    ],
)
def test_a_dry_run_of_dml_tells_bytes_and_changes_nothing(
    client: bigquery.Client, dataset: str, sql: str, kind: str, size: int
) -> None:
    fill(client, dataset)
    before = rows_of(client, f"SELECT * FROM {dataset}.nights ORDER BY key")
    job = client.query(sql.format(d=dataset), bigquery.QueryJobConfig(dry_run=True))
    assert (job.state, job.statement_type) == ("DONE", kind)
    assert job.total_bytes_processed == size
    assert rows_of(client, f"SELECT * FROM {dataset}.nights ORDER BY key") == before


def test_a_dry_run_finds_what_is_wrong_with_dml(client: bigquery.Client, dataset: str) -> None:
    fill(client, dataset)
    config = bigquery.QueryJobConfig(dry_run=True)
    sql = f"UPDATE {dataset}.nights SET nope = 1 WHERE true"
    with pytest.raises(BadRequest, match="nope"):
        client.query(sql, config, job_retry=None, retry=None)


def test_names_are_resolved_in_every_form(client: bigquery.Client, dataset: str) -> None:
    fill(client, dataset)
    project = client.project
    for name in (
        f"{dataset}.nights",
        f"`{project}.{dataset}.nights`",
        f"`{project}`.`{dataset}`.`nights`",
        f"{project}.{dataset}.nights",
    ):
        assert rows_of(client, f"SELECT COUNT(*) FROM {name}") == [(3,)], name
    default = bigquery.DatasetReference(project, dataset)
    assert rows_of(client, "SELECT nights.key FROM nights", default_dataset=default)[0] == ("a",)
    with pytest.raises(BadRequest, match="must be qualified with a dataset"):
        rows_of(client, "SELECT 1 FROM nights")
    with pytest.raises(NotFound, match=f"Not found: Table {project}:{dataset}.none"):
        rows_of(client, f"SELECT 1 FROM {dataset}.none")
    with pytest.raises(NotFound, match="Not found: Dataset"):
        rows_of(client, "SELECT 1 FROM no_such_dataset.t")
    assert rows_of(client, "WITH nights AS (SELECT 9 AS n) SELECT n FROM nights") == [(9,)]


def test_joins_groups_and_orders(client: bigquery.Client, dataset: str) -> None:
    fill(client, dataset)
    found = rows_of(
        client,
        f"""
        SELECT n.score_date, COUNT(*) AS n, ARRAY_AGG(o.key ORDER BY o.key) AS keys
        FROM {dataset}.nights AS n JOIN {dataset}.nights AS o USING (score_date)
        GROUP BY score_date HAVING n > 1 ORDER BY 1
        """,
    )
    assert found == [(date(2024, 1, 1), 4, ["a", "a", "b", "b"])]
    rows = rows_of(client, "SELECT * FROM UNNEST([2, NULL, 1]) AS x ORDER BY x")
    assert rows == [(None,), (1,), (2,)]
    kept = rows_of(
        client,
        f"SELECT * EXCEPT (score) FROM {dataset}.nights "
        "QUALIFY RANK() OVER (ORDER BY score DESC) = 1",
    )
    assert kept == [(date(2024, 1, 2), "c")]


def test_a_destination_is_filled_replaced_and_appended_to(
    client: bigquery.Client, dataset: str
) -> None:
    fill(client, dataset)
    destination = f"{client.project}.{dataset}.copy"
    sql = f"SELECT * FROM {dataset}.nights WHERE key != 'c'"
    for disposition, expected in (
        ("WRITE_EMPTY", 2),
        ("WRITE_APPEND", 4),
        ("WRITE_TRUNCATE", 2),
    ):
        options = {"destination": destination, "write_disposition": disposition}
        assert len(rows_of(client, sql, **options)) == 2
        assert client.get_table(destination).num_rows == expected
    with pytest.raises(Conflict, match="Already Exists: Table"):
        rows_of(client, sql, destination=destination, write_disposition="WRITE_EMPTY")


def test_a_query_replaces_one_partition(client: bigquery.Client, dataset: str) -> None:
    table = fill(client, dataset)
    options = {"destination": f"{table}$20240101", "write_disposition": "WRITE_TRUNCATE"}
    rows_of(client, "SELECT DATE '2024-01-01' AS score_date, 'z' AS key", **options)
    assert partitions_of(client, table) == {"20240101": 1, "20240102": 1}
    with pytest.raises(BadRequest, match="different partitions"):
        rows_of(client, "SELECT DATE '2024-01-09' AS score_date", **options)


@pytest.mark.parametrize(
    ("sql", "affected", "left"),
    [
        ("INSERT INTO {t} (key) SELECT 'd'", 1, {"a": 1, "b": 2, "c": 3, "d": None}),
        ("UPDATE {t} SET score = score * 10 WHERE score > 1", 2, {"a": 1, "b": 20, "c": 30}),
        ("UPDATE {t} AS n SET n.score = 0 WHERE n.key = 'a'", 1, {"a": 0, "b": 2, "c": 3}),
        ("DELETE FROM {t} WHERE key IN ('a', 'b')", 2, {"c": 3}),
        ("DELETE {t} WHERE true", 3, {}),
        ("TRUNCATE TABLE {t}", 3, {}),
        (
            "MERGE {t} AS t USING (SELECT 'a' AS key, 9 AS score UNION ALL SELECT 'x', 8) AS s "
            "ON t.key = s.key WHEN MATCHED THEN UPDATE SET score = s.score "
            "WHEN NOT MATCHED THEN INSERT (key, score) VALUES (s.key, s.score) "
            "WHEN NOT MATCHED BY SOURCE AND t.key = 'c' THEN DELETE",
            3,
            {"a": 9, "b": 2, "x": 8},
        ),
    ],
)
def test_dml_changes_rows_and_counts_them(
    client: bigquery.Client, dataset: str, sql: str, affected: int, left: dict[str, float | None]
) -> None:
    fill(client, dataset)
    job = client.query(sql.format(t=f"{dataset}.nights"))
    job.result()
    assert job.num_dml_affected_rows == affected
    assert dict(rows_of(client, f"SELECT key, score FROM {dataset}.nights")) == left


def test_merge_counts_by_kind(client: bigquery.Client, dataset: str) -> None:
    fill(client, dataset)
    job = client.query(
        f"MERGE {dataset}.nights t USING (SELECT 'a' AS key UNION ALL SELECT 'x') s "
        "ON t.key = s.key WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (key) VALUES (key)"
    )
    job.result()
    stats = job.dml_stats
    counts = (stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count)
    assert counts == (1, 0, 1)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE {t} SET score = 1", "must have a WHERE clause"),
        ("DELETE FROM {t}", "must have a WHERE clause"),
        ("INSERT INTO {t} (score_date) VALUES ('not a date')", "date"),
        (
            "MERGE {t} t USING (SELECT 'a' AS key UNION ALL SELECT 'a') s ON t.key = s.key "
            "WHEN MATCHED THEN UPDATE SET score = 1",
            "more than once|at most one source row",
        ),
    ],
)
def test_dml_that_fails_changes_nothing(
    client: bigquery.Client, dataset: str, sql: str, message: str
) -> None:
    fill(client, dataset)
    with pytest.raises(BadRequest, match=message):
        rows_of(client, sql.format(t=f"{dataset}.nights"))
    assert rows_of(client, f"SELECT SUM(score) FROM {dataset}.nights") == [(6.0,)]


def test_a_required_column_takes_no_null_by_dml(client: bigquery.Client, dataset: str) -> None:
    rows_of(client, f"CREATE TABLE {dataset}.strict (k STRING NOT NULL, n INT64)")
    with pytest.raises(BadRequest, match="Required field k cannot be null"):
        rows_of(client, f"INSERT INTO {dataset}.strict (n) VALUES (1)")


def test_ddl_makes_tables_and_views_and_drops_them(client: bigquery.Client, dataset: str) -> None:
    rows_of(
        client,
        f"CREATE TABLE {dataset}.t (d DATE NOT NULL, at TIMESTAMP, n INT64) "
        "PARTITION BY TIMESTAMP_TRUNC(at, MONTH) CLUSTER BY n",
    )
    table = client.get_table(f"{dataset}.t")
    assert [(f.name, f.field_type, f.mode) for f in table.schema] == [
        ("d", "DATE", "REQUIRED"),
        ("at", "TIMESTAMP", "NULLABLE"),
        ("n", "INTEGER", "NULLABLE"),
    ]
    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("MONTH", "at")
    assert table.clustering_fields == ["n"]
    with pytest.raises(Conflict, match="Already Exists: Table"):
        rows_of(client, f"CREATE TABLE {dataset}.t (n INT64)")
    rows_of(client, f"CREATE TABLE IF NOT EXISTS {dataset}.t (n INT64)")
    rows_of(client, f"CREATE OR REPLACE TABLE {dataset}.t AS SELECT 1 AS a, 'x' AS b")
    rows_of(client, f"CREATE VIEW {dataset}.v AS SELECT a + 1 AS c FROM {dataset}.t")
    assert rows_of(client, f"SELECT c FROM {dataset}.v") == [(2,)]
    rows_of(client, f"DROP VIEW {dataset}.v")
    rows_of(client, f"DROP TABLE {dataset}.t")
    rows_of(client, f"DROP TABLE IF EXISTS {dataset}.t")
    assert list(client.list_tables(dataset)) == []


@pytest.mark.parametrize(
    ("sql", "feature"),
    [
        ("SELECT * FROM {d}.`nights_*`", "wildcard"),
        ("SELECT _PARTITIONTIME FROM {d}.nights", "_PARTITIONTIME"),
        ("SELECT * FROM {d}.nights FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()", "SYSTEM_TIME"),
        ("SELECT * FROM {d}.nights TABLESAMPLE SYSTEM (10 PERCENT)", "TABLESAMPLE"),
        ("SELECT * FROM {d}.INFORMATION_SCHEMA.ROUTINES", "INFORMATION_SCHEMA.ROUTINES"),
        ("CREATE FUNCTION {d}.f() AS (1)", "FUNCTION"),
        ("CALL {d}.p()", "CALL"),
        ("ALTER TABLE {d}.nights DROP COLUMN key", "DROP COLUMN"),
        ("ALTER TABLE {d}.nights RENAME TO days", "RENAME TO"),
        ("ALTER TABLE {d}.nights SET OPTIONS (kms_key_name='k')", "kms_key_name"),
        ("CREATE VIEW {d}.v (x) AS SELECT 1 AS a", "column names in CREATE VIEW"),
        ("SELECT AS STRUCT 1 AS a", "SELECT AS"),
        ("SELECT o FROM UNNEST([1]) WITH OFFSET AS o", "WITH OFFSET"),
        ("SELECT CAST(1 AS BIGNUMERIC)", "BIGNUMERIC"),
        ("SELECT INTERVAL 1 DAY", "INTERVAL"),
        ("SELECT ARRAY_AGG(x LIMIT 1) FROM UNNEST([1, 2]) AS x", "ARRAY_AGG"),
        ("BEGIN TRANSACTION", "BEGIN TRANSACTION"),
        ("SELECT @@project_id", "@@project_id"),
    ],
)
def test_a_statement_that_is_not_supported_is_refused_by_name(
    client: bigquery.Client, dataset: str, sql: str, feature: str
) -> None:
    nights_table(client, dataset)
    with pytest.raises(MethodNotImplemented, match=feature):
        client.query_and_wait(sql.format(d=dataset), retry=None, job_retry=None)


def test_legacy_sql_is_refused(client: bigquery.Client) -> None:
    config = bigquery.QueryJobConfig(use_legacy_sql=True)
    with pytest.raises(MethodNotImplemented, match="legacy SQL"):
        client.query("SELECT 1", config, retry=None, job_retry=None).result(retry=None)
