"""Loads from the client's own machine: multipart and resumable uploads."""

from __future__ import annotations

import io
from datetime import date

import pandas as pd
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery

from tests.support.bigquery_tables import FIELD, NIGHT_SCHEMA, night, parquet_load, rows_of


def test_rows_as_json(client: bigquery.Client, dataset: str) -> None:
    config = bigquery.LoadJobConfig(schema=[FIELD("n", "INTEGER"), FIELD("s", "STRING")])
    rows = [{"n": 1, "s": "a\r\n--b"}, {"n": 2, "s": None}]
    client.load_table_from_json(rows, f"{dataset}.t", job_config=config).result()
    assert rows_of(client, f"SELECT * FROM {dataset}.t ORDER BY n") == [(1, "a\r\n--b"), (2, None)]


def test_a_dataframe(client: bigquery.Client, dataset: str) -> None:
    frame = pd.DataFrame({"score_date": [date(2024, 1, 1)], "key": ["a"], "score": [0.5]})
    config = bigquery.LoadJobConfig(schema=NIGHT_SCHEMA)
    client.load_table_from_dataframe(frame, f"{dataset}.t", job_config=config).result()
    assert rows_of(client, f"SELECT * FROM {dataset}.t") == [(date(2024, 1, 1), "a", 0.5)]
    back = client.list_rows(f"{client.project}.{dataset}.t").to_dataframe(
        create_bqstorage_client=False
    )
    assert back.to_dict("records") == frame.to_dict("records")


@pytest.mark.parametrize("size", [None, "given"])
def test_a_file(client: bigquery.Client, dataset: str, size: str | None) -> None:
    buffer = io.BytesIO()
    pq.write_table(night(date(2024, 1, 1), 1000), buffer)
    length = None if size is None else buffer.tell()
    job = client.load_table_from_file(
        buffer, f"{dataset}.t", rewind=True, size=length, job_config=parquet_load()
    )
    assert job.result().output_rows == 1000
    assert client.get_table(f"{dataset}.t").num_rows == 1000


def test_a_file_in_several_chunks(
    client: bigquery.Client, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.cloud.bigquery.client._DEFAULT_CHUNKSIZE", 1024 * 1024)
    lines = b"".join(b"%d,%0100d\n" % (i, i) for i in range(40_000))
    config = bigquery.LoadJobConfig(schema=[FIELD("n", "INTEGER"), FIELD("s", "STRING")])
    job = client.load_table_from_file(io.BytesIO(lines), f"{dataset}.t", job_config=config)
    assert job.result().output_rows == 40_000
    assert rows_of(client, f"SELECT SUM(n), SUM(CAST(s AS INT64)) FROM {dataset}.t") == [
        (799_980_000, 799_980_000)
    ]
