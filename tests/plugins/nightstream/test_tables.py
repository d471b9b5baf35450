"""The tables of a service."""

from __future__ import annotations

from datetime import date

import pytest

from beam_jobs.transforms.columns import DEAD_LETTER_SCHEMA, prediction_schema
from nightstream.tables import (
    TableId,
    TableSchema,
    dead_letters_schema,
    predictions_asset,
    predictions_schema,
)
from tests.support.specs import a_service, an_environment

PARQUET_TYPES = {
    "STRING": ("string", "dictionary<values=string, indices=int32, ordered=0>"),
    "INTEGER": ("int64",),
    "FLOAT": ("double",),
    "BOOLEAN": ("bool",),
    "TIMESTAMP": ("timestamp[us, tz=UTC]",),
    "DATE": ("date32[day]",),
    "BYTES": ("binary",),
}
EVERY_TYPE = a_service(
    input={
        "fields": [
            {"name": "id", "type": "string", "passthrough": True},
            *(
                {"name": f"a_{type_}", "type": type_}
                for type_ in ("integer", "float", "boolean", "timestamp", "date", "string")
            ),
        ]
    },
    model={
        "outputs": [
            {"name": f"predicted_{type_}", "type": type_}
            for type_ in ("string", "integer", "float", "boolean")
        ]
    },
)


@pytest.mark.parametrize(
    ("table", "files"),
    [
        (predictions_schema(EVERY_TYPE), prediction_schema(EVERY_TYPE)),
        (dead_letters_schema(), DEAD_LETTER_SCHEMA),
    ],
)
def test_a_table_has_the_columns_of_the_files_loaded_into_it(
    table: TableSchema, files: object
) -> None:
    columns = [(field.name, str(field.type)) for field in files]  # type: ignore[attr-defined]
    assert [name for name, _ in columns] == [column.name for column in table.columns]
    for column, (_, type_) in zip(table.columns, columns, strict=True):
        assert type_ in PARQUET_TYPES[column.type]


def test_a_floating_point_key_does_not_cluster_the_table() -> None:
    assert predictions_schema(a_service()).clustered_by == ("id",)
    assert predictions_schema(a_service(input={"key": "weeks"})).clustered_by == ()


def test_a_partition_is_named_by_its_day() -> None:
    table = TableId("project", "dataset", "weights_predictions")
    assert table.partition(date(2026, 1, 5)) == "project.dataset.weights_predictions$20260105"


def test_an_asset_names_its_table() -> None:
    asset = predictions_asset(an_environment(), "weights")
    assert asset.name == "weights_predictions"
    assert asset.uri == "x-bigquery://nightstream-test/nightstream/weights_predictions"
