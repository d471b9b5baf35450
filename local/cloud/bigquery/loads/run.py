"""A load job from configuration to commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from local.cloud.bigquery import tables, writes
from local.cloud.bigquery.jobs import Execution
from local.cloud.bigquery.loads import avro, parquet, text
from local.cloud.bigquery.loads import config as load_config
from local.cloud.bigquery.loads import files as load_files
from local.cloud.bigquery.loads.config import LoadConfig
from local.cloud.bigquery.loads.files import Objects, SourceFile
from local.cloud.bigquery.schema import Schema
from local.cloud.bigquery.store import Store, Transaction
from local.cloud.bigquery.writes import Source
from local.cloud.http import ApiError, unsupported


def run(execution: Execution, store: Store, objects: Objects) -> None:
    """Runs a load job. Its rows, the table's new state and the job's success commit together."""
    config = load_config.parse(execution.configuration["load"], execution.project)
    files = _files(execution, config, objects)
    with execution.writing(config.write.destination.table) as tx:
        resource = writes.existing(store, config.write, execution.location)
        current = tables.fields_of(resource) if resource else None
        try:
            source = _open(tx, config, files, current)
            rows = writes.write_rows(store, tx, config.write, source, resource)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise writes.failure(error, "Error while reading data, error message: ") from error
        statistics = {
            "inputFiles": str(len(files)),
            "inputFileBytes": str(sum(file.size for file in files)),
            "outputRows": str(rows),
            "badRecords": str(source.bad_records),
        }
        execution.complete(tx, {"load": statistics})


def _files(execution: Execution, config: LoadConfig, objects: Objects) -> list[SourceFile]:
    if upload := execution.record.get("upload"):
        path = Path(upload)
        return [SourceFile("the upload", path, path.stat().st_size)]
    return load_files.find(objects, config.uris)


def _open(
    tx: Transaction, config: LoadConfig, files: Sequence[SourceFile], current: Schema | None
) -> Source:
    if config.format == "PARQUET":
        return parquet.open_files(files, config, current)
    if config.format == "AVRO":
        return avro.open_files(tx, files, config, current)
    fields = config.write.schema or current
    if not fields:
        if config.autodetect:
            raise unsupported("schema autodetection (give the job or the table a schema)")
        raise ApiError(400, "No schema specified on job or table.")
    return text.open_files(tx, files, config, fields)
