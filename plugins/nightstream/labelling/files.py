"""Label files as one Parquet file that BigQuery can load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from beam_jobs.contract.types import arrow_type
from beam_jobs.objects import ObjectInfo, Objects, SeekableObject
from beam_jobs.spec.fields import FieldType
from nightstream.inputs.globs import matches

_BLOCK_BYTES = 8 * 1024 * 1024


class LabelError(ValueError):
    """Labels that cannot be used; the message says which, and how to mend it."""


@dataclass(frozen=True)
class FileColumns:
    """What is read of a label file."""

    key: str
    key_type: FieldType
    label: str
    night: str | None

    @property
    def schema(self) -> pa.Schema:
        """Of the Parquet file: key, label, and night where labels have one."""
        fields = [
            pa.field(self.key, arrow_type(self.key_type)),
            pa.field(self.label, pa.float64()),
        ]
        return pa.schema(fields + ([pa.field(self.night, pa.date32())] if self.night else []))


def label_files(bucket: str, glob: str, since: date, objects: Objects) -> list[ObjectInfo]:
    """The files of the glob that were written on that day (UTC) or later: labels of a night come
    after it."""
    root = f"gs://{bucket}/"
    fixed = glob.split("*")[0].split("?")[0].split("[")[0].split("{")[0]
    return [
        found
        for found in objects.list(root + fixed)
        if matches(found.uri.removeprefix(root), glob) and found.updated.date() >= since
    ]


def write_labels(
    files: Iterable[ObjectInfo], columns: FileColumns, objects: Objects, path: Path
) -> int:
    """Writes the labels of all files into one Parquet file; how many there are.

    Raises LabelError, which names the file.
    """
    rows = 0
    with pq.ParquetWriter(path, columns.schema) as writer:
        for file in files:
            for batch in _batches(file, columns, objects):
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows


def _batches(file: ObjectInfo, columns: FileColumns, objects: Objects) -> Iterator[pa.RecordBatch]:
    if not file.size:
        return
    source = pa.PythonFile(SeekableObject(objects, file.uri, file.size, file.generation), mode="r")
    read = _parquet if file.uri.endswith(".parquet") else _csv
    try:
        yield from read(source, columns)
    except (pa.ArrowException, KeyError, ValueError) as error:
        wanted = ", ".join(f"{field.name} ({field.type})" for field in columns.schema)
        said = error.args[0] if error.args else error
        raise LabelError(
            f"{file.uri} is no file of labels: {said}. Remedy: write the columns {wanted}, or name "
            "others in the spec's section labels"
        ) from error


def _csv(source: pa.NativeFile, columns: FileColumns) -> Iterator[pa.RecordBatch]:
    schema = columns.schema
    reader = pacsv.open_csv(
        source,
        read_options=pacsv.ReadOptions(block_size=_BLOCK_BYTES),
        convert_options=pacsv.ConvertOptions(
            include_columns=schema.names,
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    yield from reader


def _parquet(source: pa.NativeFile, columns: FileColumns) -> Iterator[pa.RecordBatch]:
    schema = columns.schema
    with pq.ParquetFile(source) as file:
        missing = set(schema.names) - set(file.schema_arrow.names)
        if missing:
            raise KeyError(f"it has no column {', '.join(sorted(missing))}")
        for batch in file.iter_batches(columns=schema.names):
            yield batch.select(schema.names).cast(schema)
