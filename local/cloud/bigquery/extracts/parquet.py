"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from local.cloud.bigquery.extracts.format import Format
from local.cloud.bigquery.names import quoted
from local.cloud.bigquery.schema import Field, Schema
from local.cloud.bigquery.streaming.columns import arrow_type


def parquet(fields: Schema, compression: str) -> Format:
    schema = pa.schema([pa.field(f.name, arrow_type(f), f.mode != "REQUIRED") for f in fields])

    def write(file: BinaryIO, batches: Iterable[pa.RecordBatch]) -> None:
        with pq.ParquetWriter(file, schema, compression=compression) as writer:
            for batch in batches:
                writer.write_batch(batch.cast(schema))

    return Format([_column(field) for field in fields], "application/octet-stream", write)


def _column(field: Field) -> str:
    # BigQuery has no null array.
    name = quoted(field.name)
    return f"coalesce({name}, []) AS {name}" if field.mode == "REPEATED" else name
