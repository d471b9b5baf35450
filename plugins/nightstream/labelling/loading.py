"""Label files loaded into a table of the service's own, which is made anew each time."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from beam_jobs.objects import Objects
from nightstream.labelling.files import FileColumns, label_files, write_labels
from nightstream.tables import TableId

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

_TYPES = {
    "string": "STRING",
    "int64": "INTEGER",
    "double": "FLOAT",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
}


def load_labels(
    client: Client,
    table: TableId,
    files: str,
    columns: FileColumns,
    since: date,
    bucket: str,
    objects: Objects,
) -> tuple[int, int]:
    """Files and labels that the table holds from now on; without a file it stays as it is. Raises
    LabelError.

    Loading twice does no harm: each load takes the place of all that was there.
    """
    from google.cloud.bigquery import LoadJobConfig, SchemaField, SourceFormat, WriteDisposition

    found = label_files(bucket, files, since, objects)
    if not found:
        return 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.parquet"
        rows = write_labels(found, columns, objects, path)
        config = LoadJobConfig(
            source_format=SourceFormat.PARQUET,
            schema=[
                SchemaField(field.name, _TYPES.get(str(field.type), "TIMESTAMP"))
                for field in columns.schema
            ],
            write_disposition=WriteDisposition.WRITE_TRUNCATE,
            labels={"nightstream": "labels"},
        )
        with path.open("rb") as content:
            client.load_table_from_file(content, str(table), job_config=config).result()
    return len(found), rows
