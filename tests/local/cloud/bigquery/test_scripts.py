"""Scripts of several statements: transactions, child jobs, results, what is refused."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import new_client
from tests.support.bigquery_live import live_table, row
from tests.support.bigquery_tables import SLOW, rows_of
from tests.support.local_cloud import LocalCloud

MOVE = """
BEGIN TRANSACTION;
UPDATE {d}.accounts SET amount = amount - 1 WHERE name = 'a';
INSERT INTO {d}.moves (amount) VALUES (1);
UPDATE {d}.accounts SET amount = amount + (SELECT COUNT(*) FROM {d}.moves) WHERE name = 'b';
COMMIT TRANSACTION;
SELECT name, amount FROM {d}.accounts ORDER BY name;
"""


@pytest.fixture
def accounts(client: bigquery.Client, dataset: str) -> str:
    create_accounts(client, dataset)
    return dataset


def create_accounts(client: bigquery.Client, dataset: str) -> None:
    rows_of(
        client,
        f"CREATE TABLE {dataset}.accounts AS SELECT 'a' AS name, 10 AS amount "
        "UNION ALL SELECT 'b', 0",
    )
    rows_of(client, f"CREATE TABLE {dataset}.moves (amount INT64)")


def amounts(client: bigquery.Client, dataset: str) -> dict[str, int]:
    return dict(rows_of(client, f"SELECT name, amount FROM {dataset}.accounts"))


def test_a_transaction_sees_its_own_changes_and_commits_them_together(
    client: bigquery.Client, accounts: str
) -> None:
    job = client.query(MOVE.format(d=accounts))
    assert [tuple(found.values()) for found in job.result()] == [("a", 9), ("b", 1)]
    assert amounts(client, accounts) == {"a": 9, "b": 1}
    assert (job.statement_type, job.num_child_jobs) == ("SCRIPT", 4)
    children = sorted(client.list_jobs(parent_job=job), key=lambda child: child.job_id)
    assert [child.statement_type for child in children] == ["UPDATE", "INSERT", "UPDATE", "SELECT"]
    assert [child.num_dml_affected_rows for child in children] == [1, 1, 1, None]
    assert children[0].parent_job_id == job.job_id
    frames = [child.script_statistics.stack_frames[0] for child in children]
    assert [(frame.start_line, frame.start_column) for frame in frames] == [
        (line, 1) for line in (3, 4, 5, 7)
    ]
    assert frames[1].text == f"INSERT INTO {accounts}.moves (amount) VALUES (1)"
    assert [tuple(found.values()) for found in children[3].result()] == [("a", 9), ("b", 1)]
    top = {found.job_id for found in client.list_jobs()}
    assert job.job_id in top
    assert not top & {child.job_id for child in children}


@pytest.mark.parametrize(
    "end", ["ROLLBACK TRANSACTION; SELECT 1 AS n", "SELECT 1 AS n", "ROLLBACK; SELECT 1 AS n"]
)
def test_a_transaction_that_is_not_committed_leaves_nothing(
    client: bigquery.Client, accounts: str, end: str
) -> None:
    sql = f"BEGIN; DELETE FROM {accounts}.accounts WHERE true; {end}"
    client.query(sql).result()
    assert amounts(client, accounts) == {"a": 10, "b": 0}


def test_an_error_rolls_the_transaction_back_and_keeps_what_stood_before_it(
    client: bigquery.Client, accounts: str
) -> None:
    sql = (
        f"INSERT INTO {accounts}.moves (amount) VALUES (7); BEGIN TRANSACTION; "
        f"DELETE FROM {accounts}.accounts WHERE true; SELECT 1 / 0 AS n; COMMIT TRANSACTION"
    )
    with pytest.raises(BadRequest, match="division by zero"):
        client.query(sql).result()
    assert amounts(client, accounts) == {"a": 10, "b": 0}
    assert rows_of(client, f"SELECT amount FROM {accounts}.moves") == [(7,)]


def test_nobody_sees_half_a_transaction_and_none_gets_lost(
    client: bigquery.Client, accounts: str
) -> None:
    sql = (
        f"BEGIN TRANSACTION; UPDATE {accounts}.accounts SET amount = amount - 1 WHERE name = 'a'; "
        f"UPDATE {accounts}.accounts SET amount = amount + 1 WHERE name = 'b'; COMMIT TRANSACTION"
    )
    with ThreadPoolExecutor(4) as pool:
        moved = [pool.submit(lambda: new_client().query(sql).result()) for _ in range(8)]
        seen = set()
        while not all(done.done() for done in moved):
            seen.add(sum(amounts(client, accounts).values()))
    for done in moved:
        done.result()
    assert seen == {10}
    assert amounts(client, accounts) == {"a": 2, "b": 8}


def test_statements_outside_of_transactions_commit_one_by_one(
    client: bigquery.Client, dataset: str
) -> None:
    sql = (
        f"CREATE TABLE {dataset}.t (n INT64); INSERT INTO {dataset}.t (n) VALUES (@n), (2); "
        f"CREATE VIEW {dataset}.v AS SELECT SUM(n) AS n FROM {dataset}.t; "
        f"SELECT n FROM {dataset}.v; TRUNCATE TABLE {dataset}.t"
    )
    n = bigquery.ScalarQueryParameter("n", "INT64", 40)
    assert rows_of(client, sql, query_parameters=[n]) == [(42,)]
    assert client.get_table(f"{dataset}.t").num_rows == 0


def test_comments_and_empty_statements_are_not_statements(client: bigquery.Client) -> None:
    single = client.query("-- what it is\n; SELECT 1 AS n; -- the end")
    assert [tuple(found.values()) for found in single.result()] == [(1,)]
    assert single.statement_type == "SELECT"
    script = client.query("SELECT 1 AS n; /* and */ ; SELECT 'a;b' AS s;")
    assert [tuple(found.values()) for found in script.result()] == [("a;b",)]
    assert script.num_child_jobs == 2


def test_a_transaction_may_not_touch_the_streaming_buffer(
    client: bigquery.Client, dataset: str
) -> None:
    table = live_table(client, dataset)
    assert client.insert_rows_json(table, [row("a")]) == []
    sql = f"BEGIN TRANSACTION; DELETE FROM `{table}` WHERE true; COMMIT TRANSACTION"
    with pytest.raises(BadRequest, match="would affect rows in the streaming buffer"):
        client.query(sql).result()


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("DECLARE x INT64 DEFAULT 3; SELECT x", "does not support the statement DECLARE"),
        ("IF true THEN SELECT 1; END IF", "does not support the statement IF"),
        ("BEGIN SELECT 1; EXCEPTION WHEN ERROR THEN SELECT 2; END", "the statement BEGIN"),
        ("SELECT 1; COMMIT TRANSACTION", "no transaction to end by COMMIT"),
        ("BEGIN; BEGIN; COMMIT", "Nested transactions"),
        ("BEGIN; CREATE TABLE d.t (a INT64); COMMIT", "CREATE is not allowed in a transaction"),
        ("SELECT 1; SELECT FROM", "Syntax error"),
    ],
)
def test_what_scripts_cannot_do_is_refused_before_anything_runs(
    client: bigquery.Client, sql: str, complaint: str
) -> None:
    with pytest.raises(GoogleAPICallError, match=complaint):
        client.query(sql, job_retry=None).result(retry=None)


def test_a_script_that_is_killed_goes_on_behind_its_last_commit(fresh_cloud: LocalCloud) -> None:
    client = new_client()
    client.create_dataset("d")
    create_accounts(client, "d")
    sql = (
        "INSERT INTO d.moves (amount) VALUES (1); "
        "BEGIN TRANSACTION; INSERT INTO d.moves (amount) VALUES (2); "
        f"INSERT INTO d.moves (amount) {SLOW.replace('300000', '3000')}; COMMIT TRANSACTION; "
        "SELECT COUNT(*) AS n FROM d.moves"
    )
    client.query(sql, job_id="script", job_retry=None)
    while not rows_of(client, "SELECT 1 FROM d.moves"):
        time.sleep(0.01)
    fresh_cloud.kill()
    fresh_cloud.start()
    [[counted]] = [found.values() for found in new_client().get_job("script").result()]
    assert counted == 3
    amounts_ = rows_of(new_client(), "SELECT amount FROM d.moves ORDER BY amount LIMIT 2")
    assert amounts_ == [(1,), (2,)]
