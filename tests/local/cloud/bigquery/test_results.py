"""The tables in which the results of queries are kept for a day."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import new_client
from tests.support.bigquery_tables import rows_of
from tests.support.local_cloud import LocalCloud
from tests.support.patience import PATIENCE_S

_SQL = """
SELECT x, IF(x = 2, NULL, CONCAT('name ', x)) AS name, [x, -x] AS both, STRUCT(x AS a) AS part,
  CAST(x AS NUMERIC) / 4 AS share, TIMESTAMP_ADD(TIMESTAMP '2024-01-01', INTERVAL x DAY) AS at
FROM UNNEST(GENERATE_ARRAY(3, 1, -1)) AS x ORDER BY x DESC
"""


def test_a_result_is_a_table_in_its_own_order(client: bigquery.Client) -> None:
    job = client.query(_SQL)
    expected = [row.values() for row in job.result()]
    assert [row[:3] for row in expected] == [
        (3, "name 3", [3, -3]),
        (2, None, [2, -2]),
        (1, "name 1", [1, -1]),
    ]
    table = client.get_table(job.destination)
    assert (table.table_type, table.num_rows, table.schema) == ("TABLE", 3, job.schema)
    assert [row.values() for row in client.list_rows(table)] == expected
    kept = f"`{table.project}.{table.dataset_id}.{table.table_id}`"
    assert rows_of(client, f"SELECT SUM(x), MAX(share) FROM {kept}") == [(6, Decimal("0.75"))]


def test_a_result_is_there_after_the_server_was_killed(fresh_cloud: LocalCloud) -> None:
    job = new_client().query(_SQL)
    expected = [row.values() for row in job.result()]
    empty = new_client().query("SELECT 1 AS one FROM UNNEST([]) AS x")
    assert list(empty.result()) == []
    fresh_cloud.kill()
    fresh_cloud.start()
    assert [row.values() for row in new_client().get_job(job.job_id).result()] == expected
    assert list(new_client().get_job(empty.job_id).result()) == []


def test_a_result_is_not_written_to(client: bigquery.Client) -> None:
    job = client.query("SELECT 1 AS one")
    job.result()
    kept = client.get_table(job.destination)
    name = f"`{kept.project}.{kept.dataset_id}.{kept.table_id}`"
    changes = [
        lambda: client.query_and_wait(f"INSERT INTO {name} VALUES (2)", job_retry=None),
        lambda: client.insert_rows_json(kept, [{"one": 2}], retry=None),
        lambda: client.load_table_from_json([{"one": 2}], kept).result(),
    ]
    for change in changes:
        with pytest.raises(GoogleAPICallError, match="the result of a query"):
            change()
    assert rows_of(client, f"SELECT one FROM {name}") == [(1,)]


def test_the_file_of_a_result_goes_with_its_table(fresh_cloud: LocalCloud) -> None:
    client = new_client()
    kept, deleted = client.query("SELECT 1 AS one"), client.query("SELECT 2 AS two")
    for job in (kept, deleted):
        job.result()
    client.delete_table(deleted.destination)
    folder = Path(fresh_cloud.data) / "bigquery" / "results"
    orphan = folder / "anon0.parquet"
    orphan.write_bytes(b"of a query that a crash cut off")
    assert len(list(folder.iterdir())) == 3
    long_ago = time.time() - 3_600
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))
    fresh_cloud.kill()
    fresh_cloud.start()
    deadline = time.monotonic() + PATIENCE_S
    while [path.stem for path in folder.iterdir()] != [kept.destination.table_id]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert rows_of(client, f"SELECT one FROM `{kept.destination}`") == [(1,)]
