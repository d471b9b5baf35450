"""The `bq` command of the Google Cloud SDK."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from google.cloud import bigquery, storage

from tests.support.local_cloud import LocalCloud

_DISCOVERY = "platform/bq/discovery_next/bigquery.json"


@pytest.fixture
def sdk() -> Path:
    """The Cloud SDK's folder."""
    command = shutil.which("bq")
    assert command, "the Google Cloud SDK is not installed"
    return Path(command).resolve().parents[1]


def bq(cloud: LocalCloud, sdk: Path, home: Path, *arguments: str) -> str:
    """Runs `bq` against the local cloud with a home of its own; answers what it printed."""
    options = [f"--api={cloud.url}", f"--project_id={cloud.env['GOOGLE_CLOUD_PROJECT']}"]
    options += ["--oauth_access_token=x", f"--discovery_file={sdk / _DISCOVERY}", "--format=json"]
    environment = {**os.environ, "HOME": str(home)}
    command = ["bq", *options, *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_bq_loads_and_queries(
    cloud_env: LocalCloud, client: bigquery.Client, dataset: str, sdk: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,day\n1,2024-01-02\n2,\n")
    load = ["load", "--skip_leading_rows=1", f"{dataset}.t", str(rows), "a:INTEGER,day:DATE"]
    bq(cloud_env, sdk, tmp_path, *load)
    sql = f"SELECT COUNT(*) AS n, MAX(day) AS last FROM {dataset}.t"
    printed = bq(cloud_env, sdk, tmp_path, "query", "--use_legacy_sql=false", sql)
    assert json.loads(printed.splitlines()[-1]) == [{"n": "2", "last": "2024-01-02"}]
    assert client.get_table(f"{dataset}.t").num_rows == 2


def test_bq_inserts(
    cloud_env: LocalCloud, client: bigquery.Client, dataset: str, sdk: Path, tmp_path: Path
) -> None:
    client.query(f"CREATE TABLE {dataset}.t (a INT64, day DATE)").result()
    rows = tmp_path / "rows.json"
    rows.write_text('{"a": 1, "day": "2024-01-02"}\n{"a": "2"}\n')
    bq(cloud_env, sdk, tmp_path, "insert", f"{dataset}.t", str(rows))
    found = client.query(f"SELECT a, day FROM {dataset}.t ORDER BY a").result()
    assert [row.values() for row in found] == [(1, date(2024, 1, 2)), (2, None)]


@pytest.mark.long
def test_bq_copies_extracts_and_runs_scripts(
    cloud_env: LocalCloud,
    client: bigquery.Client,
    dataset: str,
    bucket: str,
    sdk: Path,
    tmp_path: Path,
) -> None:
    client.query(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a UNION ALL SELECT 2").result()
    bq(cloud_env, sdk, tmp_path, "cp", f"{dataset}.t", f"{dataset}.u")
    bq(cloud_env, sdk, tmp_path, "extract", f"{dataset}.u", f"gs://{bucket}/u.csv")
    stored = storage.Client(client.project, credentials=client._credentials).bucket(bucket)
    assert stored.blob("u.csv").download_as_text().split() == ["a", "1", "2"]
    sql = (
        f"BEGIN TRANSACTION; DELETE FROM {dataset}.u WHERE a = 1; COMMIT TRANSACTION; "
        f"SELECT a FROM {dataset}.u"
    )
    printed = bq(cloud_env, sdk, tmp_path, "query", "--use_legacy_sql=false", sql)
    assert '[{"a":"2"}]' in printed
