"""An extract job from configuration to files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import duckdb
import pyarrow as pa

from local.cloud.bigquery import partitions, tables
from local.cloud.bigquery.errors import not_found
from local.cloud.bigquery.extracts import config as extract_config
from local.cloud.bigquery.extracts.avro import avro
from local.cloud.bigquery.extracts.config import Destination, ExtractConfig
from local.cloud.bigquery.extracts.format import Format
from local.cloud.bigquery.extracts.parquet import parquet
from local.cloud.bigquery.extracts.text import csv, ndjson
from local.cloud.bigquery.jobs import Execution
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.sizes import bytes_sql
from local.cloud.bigquery.store import Resource, Store
from local.cloud.bigquery.streaming import buffer
from local.cloud.http import ApiError
from local.cloud.storage.blobs import BlobWriter
from local.cloud.storage.model import Attributes, Blob
from local.cloud.storage.preconditions import Preconditions
from local.cloud.storage.store import ObjectStore

ROWS_A_FILE = 250_000
"""Where the destination has a wildcard. The service decides by bytes, and does not tell how."""
_BATCH = 16_384
_LARGEST_FILE = 1024**3


def run(execution: Execution, store: Store, objects: ObjectStore) -> None:
    """Writes all files, makes them objects one after the other, then records the job's success.

    A job that runs again after a crash writes the same objects again.
    """
    config = extract_config.parse(execution.configuration["extract"], execution.project)
    resource = tables.stored(store, config.source.table)
    if resource["location"] != execution.location:
        raise not_found("Table", f"{config.source.table} in location {execution.location}")
    for destination in config.destinations:
        objects.bucket(destination.bucket)
    fields = tables.fields_of(resource)
    format_ = _format(config, fields)
    rows = f"FROM {config.source.table.physical} WHERE {_condition(config, resource, fields)}"
    with execution.writing() as tx:
        size = tx.count(f"SELECT {bytes_sql(fields)} {rows}")
        if size > _LARGEST_FILE and not config.destinations[0].many:
            raise _too_large(config)
        batches = tx.cursor.sql(f"SELECT {', '.join(format_.columns)} {rows}").to_arrow_reader(
            _BATCH
        )
        files = _write_files(objects, config.destinations, format_, batches)
        for destination, name, blob in files:
            attributes = Attributes(format_.content_type)
            objects.commit(destination.bucket, name, blob, attributes, Preconditions())
        counts = [sum(found is wanted for found, _, _ in files) for wanted in config.destinations]
        statistics = {
            "destinationUriFileCounts": [str(count) for count in counts],
            "inputBytes": str(size),
        }
        execution.complete(tx, {"extract": statistics})


def _format(config: ExtractConfig, fields: Schema) -> Format:
    if not fields:
        raise ApiError(400, f"Table {config.source.table} does not have a schema.")
    zipped = config.compression == "GZIP"
    match config.format:
        case "CSV":
            return csv(fields, config.delimiter, header=config.header, zipped=zipped)
        case "NEWLINE_DELIMITED_JSON":
            return ndjson(fields, zipped=zipped)
        case "AVRO":
            return avro(fields, config.compression, logical_types=config.logical_types)
        case _:
            return parquet(fields, config.compression)


def _condition(config: ExtractConfig, resource: Resource, fields: Schema) -> str:
    """Rows in the streaming buffer are left out."""
    condition = f"NOT {buffer.WAITING}"
    if config.source.partition:
        partitioning = partitions.required(resource, fields)
        condition += f" AND {partitioning.predicate(config.source.partition)}"
    return condition


def _write_files(
    objects: ObjectStore,
    destinations: Sequence[Destination],
    format_: Format,
    batches: Iterator[pa.RecordBatch],
) -> list[tuple[Destination, str, Blob]]:
    """The files in turn to each destination, which gets one at the least."""
    limit = ROWS_A_FILE if destinations[0].many else None
    groups: Iterator[Iterable[pa.RecordBatch]]
    groups = (group for _, group in itertools.groupby(batches, _file_number(limit)))
    written: list[tuple[Destination, str, Blob]] = []
    try:
        for i in itertools.count():
            group = next(groups, None)
            if group is None and i >= len(destinations):
                return written
            destination = destinations[i % len(destinations)]
            name = destination.name(i // len(destinations))
            written.append((destination, name, _write(objects, format_, group or ())))
    except (duckdb.Error, pa.ArrowException, ApiError):
        for _, _, blob in written:
            blob.path.unlink(missing_ok=True)
        raise
    raise AssertionError("counting does not end")


def _file_number(limit: int | None) -> Callable[[pa.RecordBatch], int]:
    """Which file a batch goes to, when it is asked once for each in order."""
    rows = 0

    def number(batch: pa.RecordBatch) -> int:
        nonlocal rows
        before, rows = rows, rows + batch.num_rows
        return before // limit if limit else 0

    return number


def _write(objects: ObjectStore, format_: Format, batches: Iterable[pa.RecordBatch]) -> Blob:
    path = objects.new_blob().path
    with path.open("wb") as file:
        format_.write(file, batches)
    return BlobWriter.resume(path).finish()


def _too_large(config: ExtractConfig) -> ApiError:
    return ApiError(
        400,
        f"Table {config.source.table} too large to be exported to a single file. "
        "Specify a uri including a * to shard export.",
    )
