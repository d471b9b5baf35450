"""Extract jobs: every format with every type, several files, partitions, what is refused."""

from __future__ import annotations

import gzip
import io
import json
from datetime import date
from typing import Any

import fastavro
import pyarrow.parquet as pq
import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound
from google.cloud import bigquery, storage

from tests.local.cloud.bigquery.conftest import Put
from tests.support.bigquery_live import live_table, row
from tests.support.bigquery_tables import TRUNCATE, night, nights_table, rows_of
from tests.support.local_cloud import PROJECT

SCALARS = """
SELECT 1 AS n, 'one, "two"' AS s, 1.5 AS f, true AS b, b'\\x00\\xff' AS raw, DATE '2024-01-02' AS d,
  TIME '12:30:00' AS t, DATETIME '2024-01-02 03:04:05' AS dt,
  TIMESTAMP '2024-01-02 03:04:05.5+00' AS ts, NUMERIC '12.50' AS m
UNION ALL SELECT 9007199254740993, '', 2.0, false, NULL, NULL, NULL, NULL, NULL, NULL
"""
NESTED = "SELECT 1 AS id, [1, 2] AS ns, STRUCT('a' AS s, CAST(NULL AS INT64) AS n) AS r"


class Extractor:
    """Extracts tables into one bucket, and reads what was written there."""

    def __init__(self, client: bigquery.Client, bucket: str) -> None:
        self._client = client
        self.bucket = bucket
        self._storage = storage.Client(PROJECT, credentials=client._credentials)

    def extract(self, table: str, *names: str, **options: Any) -> bigquery.ExtractJob:
        config = bigquery.ExtractJobConfig(**options)
        uris = [f"gs://{self.bucket}/{name}" for name in names]
        job = self._client.extract_table(table, uris, job_config=config)
        job.result()
        return job

    def names(self) -> list[str]:
        return [blob.name for blob in self._storage.list_blobs(self.bucket)]

    def read(self, name: str) -> bytes:
        return self._storage.bucket(self.bucket).blob(name).download_as_bytes(raw_download=True)


@pytest.fixture
def files(client: bigquery.Client, bucket: str) -> Extractor:
    return Extractor(client, bucket)


@pytest.fixture
def scalars(client: bigquery.Client, dataset: str) -> str:
    client.query(f"CREATE TABLE {dataset}.scalars AS {SCALARS}").result()
    return f"{client.project}.{dataset}.scalars"


@pytest.fixture
def nested(client: bigquery.Client, dataset: str) -> str:
    client.query(f"CREATE TABLE {dataset}.nested AS {NESTED}").result()
    return f"{client.project}.{dataset}.nested"


def test_csv_quotes_what_needs_it_and_tells_null_from_empty(files: Extractor, scalars: str) -> None:
    job = files.extract(scalars, "all.csv")
    assert files.read("all.csv").decode().splitlines() == [
        "n,s,f,b,raw,d,t,dt,ts,m",
        '1,"one, ""two""",1.5,true,AP8=,2024-01-02,12:30:00,2024-01-02T03:04:05,'
        "2024-01-02 03:04:05.5 UTC,12.5",
        '9007199254740993,"",2,false,,,,,,',
    ]
    assert job.destination_uri_file_counts == [1]
    assert job._properties["configuration"]["jobType"] == "EXTRACT"


def test_csv_without_a_header_with_tabs_and_gzipped(files: Extractor, scalars: str) -> None:
    options = {"print_header": False, "field_delimiter": "\t", "compression": "GZIP"}
    files.extract(scalars, "all.csv.gz", **options)
    lines = gzip.decompress(files.read("all.csv.gz")).decode().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('1\t"one, ""two"""\t1.5\ttrue')


def test_json_keeps_the_digits_of_integers_and_leaves_nulls_out(
    files: Extractor, scalars: str, nested: str
) -> None:
    files.extract(scalars, "s.json", destination_format="NEWLINE_DELIMITED_JSON")
    first, second = (json.loads(line) for line in files.read("s.json").splitlines())
    assert first == {
        "n": "1", "s": 'one, "two"', "f": 1.5, "b": True, "raw": "AP8=", "d": "2024-01-02",
        "t": "12:30:00", "dt": "2024-01-02T03:04:05", "ts": "2024-01-02 03:04:05.5 UTC",
        "m": "12.5",
    }  # fmt: skip
    assert second == {"n": "9007199254740993", "s": "", "f": 2.0, "b": False}
    files.extract(nested, "n.json", destination_format="NEWLINE_DELIMITED_JSON")
    assert json.loads(files.read("n.json")) == {"id": "1", "ns": ["1", "2"], "r": {"s": "a"}}


def test_avro_with_logical_types_and_without(files: Extractor, scalars: str, nested: str) -> None:
    files.extract(scalars, "logical.avro", destination_format="AVRO", use_avro_logical_types=True)
    first, second = fastavro.reader(io.BytesIO(files.read("logical.avro")))
    assert (first["n"], first["d"], str(first["m"])) == (1, date(2024, 1, 2), "12.500000000")
    assert first["ts"].isoformat() == "2024-01-02T03:04:05.500000+00:00"
    assert (first["dt"], first["raw"], second["raw"]) == ("2024-01-02T03:04:05", b"\x00\xff", None)
    files.extract(scalars, "plain.avro", destination_format="AVRO")
    reader = fastavro.reader(io.BytesIO(files.read("plain.avro")))
    assert next(reader)["d"] == "2024-01-02"
    types = {field["name"]: field["type"] for field in reader.writer_schema["fields"]}
    assert types["d"] == ["null", {"type": "string", "sqlType": "DATE"}]
    files.extract(nested, "n.avro", destination_format="AVRO", compression="DEFLATE")
    found = list(fastavro.reader(io.BytesIO(files.read("n.avro"))))
    assert found == [{"id": 1, "ns": [1, 2], "r": {"s": "a", "n": None}}]


def test_parquet_comes_back_as_it_was(
    client: bigquery.Client, files: Extractor, dataset: str, scalars: str
) -> None:
    files.extract(scalars, "all.parquet", destination_format="PARQUET", compression="ZSTD")
    table = pq.read_table(io.BytesIO(files.read("all.parquet")))
    assert table.schema.field("m").type.scale == 9
    fields = client.get_table(scalars).schema
    config = bigquery.LoadJobConfig(source_format="PARQUET", schema=fields)
    uri = f"gs://{files.bucket}/all.parquet"
    client.load_table_from_uri(uri, f"{scalars}_again", job_config=config).result()
    again = rows_of(client, f"SELECT * FROM {dataset}.scalars_again ORDER BY n")
    assert again == rows_of(client, f"SELECT * FROM {dataset}.scalars ORDER BY n")


def test_a_wildcard_makes_as_many_files_as_are_needed(
    client: bigquery.Client, files: Extractor, dataset: str
) -> None:
    client.query(
        f"CREATE TABLE {dataset}.big AS SELECT n FROM UNNEST(GENERATE_ARRAY(1, 600000)) AS n"
    ).result()
    table = f"{client.project}.{dataset}.big"
    job = files.extract(table, "big-*.csv", print_header=False)
    names = [f"big-{i:012d}.csv" for i in range(3)]
    assert (files.names(), job.destination_uri_file_counts) == (names, [3])
    numbers = [int(line) for name in names for line in files.read(name).splitlines()]
    assert sorted(numbers) == list(range(1, 600_001))
    job = files.extract(table, "a-*", "b-*")
    assert job.destination_uri_file_counts == [2, 1]


def test_one_partition_is_extracted_and_an_empty_one_gives_one_file(
    client: bigquery.Client, files: Extractor, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    for day in (date(2024, 1, 1), date(2024, 1, 2)):
        uri = put(night(day, day.day))
        client.load_table_from_uri(uri, f"{table}${day:%Y%m%d}", job_config=TRUNCATE).result()
    files.extract(f"{table}$20240102", "x/night.csv")
    assert files.read("x/night.csv").decode().splitlines()[1:] == [
        "2024-01-02,k0,0",
        "2024-01-02,k1,0",
    ]
    files.extract(f"{table}$20240103", "x/none-*.csv")
    assert files.read("x/none-000000000000.csv") == b"score_date,key,score\n"


def test_rows_in_the_streaming_buffer_are_not_extracted(
    client: bigquery.Client, files: Extractor, dataset: str
) -> None:
    table = live_table(client, dataset)
    assert client.insert_rows_json(table, [row("a")]) == []
    files.extract(table, "live.json", destination_format="NEWLINE_DELIMITED_JSON")
    assert files.read("live.json") == b""


def test_what_cannot_be_extracted_is_refused(
    client: bigquery.Client, files: Extractor, dataset: str, nested: str
) -> None:
    with pytest.raises(BadRequest, match="a repeated schema"):
        files.extract(nested, "n.csv")
    with pytest.raises(BadRequest, match="ZSTD is not supported for AVRO"):
        files.extract(nested, "n.avro", destination_format="AVRO", compression="ZSTD")
    with pytest.raises(BadRequest, match="Invalid extract destination URI"):
        files.extract(nested, "a-*-*", destination_format="AVRO")
    with pytest.raises(BadRequest, match="needs a wildcard"):
        files.extract(nested, "a", "b", destination_format="AVRO")
    with pytest.raises(GoogleAPICallError, match="the destination format ORC"):
        files.extract(nested, "a", destination_format="ORC")
    client.query(f"CREATE VIEW {dataset}.v AS SELECT 1 AS a").result()
    with pytest.raises(BadRequest, match="because of its type"):
        files.extract(f"{client.project}.{dataset}.v", "v")
    missing = "gs://no-such-bucket-here/x"
    with pytest.raises(NotFound, match="bucket"):
        client.extract_table(nested, missing).result()
    assert files.names() == []
