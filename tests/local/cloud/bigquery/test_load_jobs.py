"""Load jobs: dispositions, partitions, schemas, and the three file formats."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound
from google.cloud import bigquery

from tests.local.cloud.bigquery.conftest import Put
from tests.support.bigquery_tables import (
    FIELD,
    NIGHT_SCHEMA,
    TRUNCATE,
    night,
    nights_table,
    parquet_load,
    partitions_of,
    rows_of,
)

FIRST, SECOND = date(2024, 1, 1), date(2024, 1, 2)


def csv_load(**options: object) -> bigquery.LoadJobConfig:
    return bigquery.LoadJobConfig(source_format="CSV", **options)


def test_a_partition_is_replaced_and_the_others_stay(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    for day, rows in ((FIRST, 3), (SECOND, 5)):
        uri = put(night(day, rows))
        client.load_table_from_uri(uri, f"{table}${day:%Y%m%d}", job_config=TRUNCATE).result()
    job = client.load_table_from_uri(
        put(night(FIRST, 2, 9.0)), f"{table}$20240101", job_config=TRUNCATE
    )
    assert job.result().output_rows == 2
    assert partitions_of(client, table) == {"20240101": 2, "20240102": 5}
    assert rows_of(client, f"SELECT DISTINCT score FROM {dataset}.nights WHERE score > 0") == [
        (9.0,)
    ]


def test_an_empty_file_empties_its_partition(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    for day in (FIRST, SECOND):
        client.load_table_from_uri(
            put(night(day, 2)), f"{table}${day:%Y%m%d}", job_config=TRUNCATE
        ).result()
    job = client.load_table_from_uri(put(night(FIRST, 0)), f"{table}$20240101", job_config=TRUNCATE)
    assert job.result().output_rows == 0
    assert partitions_of(client, table) == {"20240102": 2}


@pytest.mark.parametrize("rows", [night(SECOND, 1), night(FIRST, 3).slice(0, 0)])
def test_a_row_of_another_day_fails_the_load_of_a_partition(
    client: bigquery.Client, dataset: str, put: Put, rows: pa.Table
) -> None:
    table = nights_table(client, dataset)
    mixed = pa.concat_tables([rows, night(SECOND, 1), night(FIRST, 1)])
    with pytest.raises(BadRequest, match="Some rows belong to different partitions"):
        client.load_table_from_uri(put(mixed), f"{table}$20240101", job_config=TRUNCATE).result()
    assert partitions_of(client, table) == {}


def test_a_null_day_fails_the_load_of_a_partition(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    rows = night(FIRST, 1).drop_columns(["score_date"])
    with pytest.raises(BadRequest, match="Some rows belong to different partitions"):
        client.load_table_from_uri(put(rows), f"{table}$20240101", job_config=TRUNCATE).result()


@pytest.mark.parametrize(
    ("granularity", "partition", "inside", "outside"),
    [
        (
            "HOUR",
            "2024013123",
            datetime.fromisoformat("2024-01-31T23:59:00"),
            datetime.fromisoformat("2024-02-01T00:00:00"),
        ),
        (
            "DAY",
            "20240229",
            datetime.fromisoformat("2024-02-29T12:00:00"),
            datetime.fromisoformat("2024-03-01T00:00:00"),
        ),
        (
            "MONTH",
            "202412",
            datetime.fromisoformat("2024-12-31T23:00:00"),
            datetime.fromisoformat("2025-01-01T00:00:00"),
        ),
        (
            "YEAR",
            "2024",
            datetime.fromisoformat("2024-01-01T00:00:00"),
            datetime.fromisoformat("2023-12-31T23:59:00"),
        ),
    ],
)
def test_partitions_by_timestamp_of_every_granularity(
    client: bigquery.Client,
    dataset: str,
    put: Put,
    granularity: str,
    partition: str,
    inside: datetime,
    outside: datetime,
) -> None:
    def at(moment: datetime) -> str:
        return put(
            pa.table({"at": pa.array([moment.replace(tzinfo=UTC)], pa.timestamp("us", "UTC"))})
        )

    table = bigquery.Table(f"{client.project}.{dataset}.t", schema=[FIELD("at", "TIMESTAMP")])
    table.time_partitioning = bigquery.TimePartitioning(granularity, "at")
    client.create_table(table)
    name = f"{table.full_table_id or f'{client.project}.{dataset}.t'}${partition}"
    client.load_table_from_uri(at(inside), name, job_config=TRUNCATE).result()
    assert partitions_of(client, f"{client.project}.{dataset}.t") == {partition: 1}
    with pytest.raises(BadRequest, match="different partitions"):
        client.load_table_from_uri(at(outside), name, job_config=TRUNCATE).result()


def test_a_load_creates_the_table_that_it_describes(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    config = parquet_load(
        time_partitioning=bigquery.TimePartitioning(field="score_date"),
        clustering_fields=["key"],
    )
    table = f"{client.project}.{dataset}.made"
    client.load_table_from_uri(
        put(night(FIRST, 2)), f"{table}$20240101", job_config=config
    ).result()
    found = client.get_table(table)
    assert [(f.name, f.field_type) for f in found.schema] == [
        (f.name, f.field_type) for f in NIGHT_SCHEMA
    ]
    assert (found.num_rows, found.time_partitioning.field) == (2, "score_date")
    never = parquet_load(create_disposition="CREATE_NEVER")
    with pytest.raises(NotFound, match="Not found: Table"):
        client.load_table_from_uri(put(night(FIRST, 1)), f"{table}2", job_config=never).result()


def test_a_load_describes_the_table_it_creates_and_changes_no_description(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    def load(description: str) -> bigquery.LoadJob:
        config = csv_load(schema=[FIELD("n", "INT64")], destination_table_description=description)
        config.destination_table_friendly_name = "words"
        return client.load_table_from_uri(put("1\n"), f"{dataset}.x", job_config=config)

    for _ in range(2):
        load("of the night").result()
    found = client.get_table(f"{dataset}.x")
    assert (found.description, found.friendly_name) == ("of the night", "words")
    with pytest.raises(BadRequest, match="Cannot change the description"):
        load("of the day").result()


def test_a_load_that_states_another_layout_is_refused(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    config = parquet_load(time_partitioning=bigquery.TimePartitioning("MONTH", "score_date"))
    with pytest.raises(BadRequest, match="Incompatible table partitioning specification"):
        client.load_table_from_uri(put(night(FIRST, 1)), table, job_config=config).result()


def test_write_dispositions(client: bigquery.Client, dataset: str, put: Put) -> None:
    table = nights_table(client, dataset)
    uri = put(night(FIRST, 2))
    for disposition, rows in (("WRITE_EMPTY", 2), ("WRITE_APPEND", 4), ("WRITE_TRUNCATE", 2)):
        config = parquet_load(write_disposition=disposition)
        client.load_table_from_uri(uri, table, job_config=config).result()
        assert client.get_table(table).num_rows == rows
    config = parquet_load(write_disposition="WRITE_EMPTY")
    with pytest.raises(Conflict, match="Already Exists"):
        client.load_table_from_uri(uri, table, job_config=config).result()


def test_columns_are_matched_by_name(client: bigquery.Client, dataset: str, put: Put) -> None:
    table = nights_table(client, dataset)
    reordered = night(FIRST, 1, 7.0).select(["score", "key", "score_date"])
    client.load_table_from_uri(put(reordered), table, job_config=parquet_load()).result()
    client.load_table_from_uri(
        put(night(FIRST, 1).drop_columns(["score"])), table, job_config=parquet_load()
    ).result()
    found = rows_of(client, f"SELECT key, score FROM {dataset}.nights ORDER BY score")
    assert found == [("k0", None), ("k0", 7.0)]


def test_a_new_column_needs_field_addition(client: bigquery.Client, dataset: str, put: Put) -> None:
    table = nights_table(client, dataset)
    wider = night(FIRST, 1).append_column("model", pa.array(["m1"]))
    uri = put(wider)
    with pytest.raises(BadRequest, match=r"Cannot add fields \(field: model\)"):
        client.load_table_from_uri(uri, f"{table}$20240101", job_config=TRUNCATE).result()
    config = parquet_load(
        write_disposition="WRITE_TRUNCATE", schema_update_options=["ALLOW_FIELD_ADDITION"]
    )
    client.load_table_from_uri(uri, f"{table}$20240101", job_config=config).result()
    assert [f.name for f in client.get_table(table).schema][-1] == "model"
    assert rows_of(client, f"SELECT model FROM {dataset}.nights") == [("m1",)]


def test_a_column_of_another_type_is_refused(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    wrong = night(FIRST, 1).set_column(2, "score", pa.array([1], pa.int64()))
    with pytest.raises(BadRequest, match="score has changed type from FLOAT to INTEGER"):
        client.load_table_from_uri(put(wrong), table, job_config=parquet_load()).result()
    config = parquet_load(schema=NIGHT_SCHEMA)
    with pytest.raises(BadRequest, match="does not match the target type"):
        client.load_table_from_uri(put(wrong), table, job_config=config).result()


def test_a_required_column_takes_no_null(client: bigquery.Client, dataset: str, put: Put) -> None:
    table = f"{client.project}.{dataset}.strict"
    client.create_table(bigquery.Table(table, schema=[FIELD("k", "STRING", "REQUIRED")]))
    column = pa.field("k", pa.string(), nullable=True)
    nullable = put(pa.table([pa.array(["a", None])], schema=pa.schema([column])))
    with pytest.raises(BadRequest, match="changed mode from REQUIRED to NULLABLE"):
        client.load_table_from_uri(nullable, table, job_config=parquet_load()).result()
    config = parquet_load(schema=[FIELD("k", "STRING", "REQUIRED")])
    with pytest.raises(BadRequest, match="Required field k cannot be null"):
        client.load_table_from_uri(nullable, table, job_config=config).result()
    other = put(pa.table({"x": ["a"]}))
    with pytest.raises(BadRequest, match="Field k is missing"):
        client.load_table_from_uri(other, table, job_config=parquet_load()).result()
    full = put(pa.table([pa.array(["a"])], schema=pa.schema([column.with_nullable(False)])))
    assert client.load_table_from_uri(full, table, job_config=parquet_load()).result().output_rows


def test_a_wildcard_loads_every_object_that_matches(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = nights_table(client, dataset)
    for name in ("in/a.parquet", "in/deep/b.parquet", "in/c.txt", "out/d.parquet"):
        uri = put(night(FIRST, 1), name)
    base = uri.rsplit("/", 2)[0]
    job = client.load_table_from_uri(f"{base}/in/*.parquet", table, job_config=parquet_load())
    assert (job.result().output_rows, job.input_files) == (2, 2)
    with pytest.raises(NotFound, match="Not found: URI"):
        client.load_table_from_uri(f"{base}/no/*", table, job_config=parquet_load()).result()


def test_csv_with_header_quotes_nulls_and_gzip(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = f"{client.project}.{dataset}.csv"
    text = (
        "id,name,ok,day,at\n"
        '1,"a, ""b""",true,2024-01-02,2024-01-02 03:04:05 UTC\n'
        '2,,F,,1700000000\n3,"",,,\n'
    )
    schema = [
        FIELD("id", "INTEGER"),
        FIELD("name", "STRING"),
        FIELD("ok", "BOOLEAN"),
        FIELD("day", "DATE"),
        FIELD("at", "TIMESTAMP"),
    ]
    config = csv_load(schema=schema, skip_leading_rows=1)
    uri = put(gzip.compress(text.encode()))
    client.load_table_from_uri(uri, table, job_config=config).result()
    assert rows_of(client, f"SELECT * FROM {dataset}.csv ORDER BY id") == [
        (1, 'a, "b"', True, date(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (2, None, False, None, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (3, "", None, None, None),
    ]


@pytest.mark.parametrize(
    "text", ["1,a\n2,b,c\n", "1,a\n2\n", "1,a\nx,b\n", "1,a\n1.5,b\n", '1,"a\nb"\n']
)
def test_a_bad_csv_record_fails_the_load(
    client: bigquery.Client, dataset: str, put: Put, text: str
) -> None:
    table = f"{client.project}.{dataset}.bad"
    config = csv_load(schema=[FIELD("n", "INTEGER"), FIELD("s", "STRING")])
    with pytest.raises(BadRequest, match="Error while reading data"):
        client.load_table_from_uri(put(text), table, job_config=config).result()
    with pytest.raises(NotFound):
        client.get_table(table)


def test_bad_csv_records_up_to_the_limit_are_left_out(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = f"{client.project}.{dataset}.some"
    schema = [FIELD("n", "INTEGER"), FIELD("s", "STRING")]
    uri = put("1,a\nx,b\n3,c,d\n4,e\n")
    config = csv_load(schema=schema, max_bad_records=2)
    assert client.load_table_from_uri(uri, table, job_config=config).result().output_rows == 2
    assert rows_of(client, f"SELECT n FROM {dataset}.some ORDER BY n") == [(1,), (4,)]
    config = csv_load(schema=schema, max_bad_records=1)
    with pytest.raises(BadRequest, match="too many errors"):
        client.load_table_from_uri(uri, table, job_config=config).result()


def test_jagged_csv_rows_and_quoted_newlines_when_allowed(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    table = f"{client.project}.{dataset}.jagged"
    config = csv_load(schema=[FIELD("n", "INTEGER"), FIELD("s", "STRING")])
    config.allow_jagged_rows = True
    client.load_table_from_uri(put("1\n2,b\n"), table, job_config=config).result()
    config.allow_jagged_rows, config.allow_quoted_newlines = False, True
    client.load_table_from_uri(put('3,"a\nb"\n'), table, job_config=config).result()
    assert rows_of(client, f"SELECT * FROM {dataset}.jagged ORDER BY n") == [
        (1, None),
        (2, "b"),
        (3, "a\nb"),
    ]


def test_json_records_by_name_nested_too(client: bigquery.Client, dataset: str, put: Put) -> None:
    table = f"{client.project}.{dataset}.json"
    schema = [
        FIELD("n", "INTEGER"),
        FIELD("at", "TIMESTAMP"),
        FIELD("tags", "STRING", "REPEATED"),
        FIELD("place", "RECORD", fields=[FIELD("x", "FLOAT")]),
    ]
    text = (
        '{"n": "1", "at": "2024-01-02T03:04:05Z", "tags": ["a"], "place": {"x": 1.5}}\n{"n": 2}\n'
    )
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", schema=schema)
    client.load_table_from_uri(put(text), table, job_config=config).result()
    assert rows_of(client, f"SELECT * FROM {dataset}.json ORDER BY n") == [
        (1, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), ["a"], {"x": 1.5}),
        (2, None, [], None),
    ]
    for bad in ('{"n": 3, "more": 1}', '{"n": "x"}', '{"n": [1]}', "{nonsense"):
        with pytest.raises(BadRequest, match="Error while reading data"):
            client.load_table_from_uri(put(bad), table, job_config=config).result()
    config.ignore_unknown_values = True
    client.load_table_from_uri(put('{"n": 3, "more": 1}'), table, job_config=config).result()
    assert client.get_table(table).num_rows == 3


@pytest.mark.parametrize(
    ("options", "feature"),
    [
        ({"source_format": "ORC"}, "ORC"),
        ({"source_format": "CSV", "autodetect": True}, "autodetection"),
        ({"source_format": "CSV", "encoding": "UTF-16LE"}, "UTF-16LE"),
    ],
)
def test_a_load_option_that_is_not_supported_is_refused_by_name(
    client: bigquery.Client, dataset: str, put: Put, options: dict[str, object], feature: str
) -> None:
    config = bigquery.LoadJobConfig(**options)
    with pytest.raises(MethodNotImplemented, match=feature):
        client.load_table_from_uri(put("1"), f"{dataset}.t", job_config=config, retry=None).result(
            retry=None
        )


def test_a_broken_parquet_file_fails_with_its_name(
    client: bigquery.Client, dataset: str, put: Put
) -> None:
    uri = put("this is not Parquet")
    with pytest.raises(BadRequest, match=uri):
        client.load_table_from_uri(uri, f"{dataset}.t", job_config=parquet_load()).result()
