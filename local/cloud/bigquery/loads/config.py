"""What a load job asks for, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.bigquery import schema, writes
from local.cloud.bigquery.names import target
from local.cloud.bigquery.writes import Write
from local.cloud.http import ApiError, unsupported

FORMATS = ("AVRO", "CSV", "NEWLINE_DELIMITED_JSON", "PARQUET")
_KNOWN_KEYS = {
    "allowJaggedRows", "allowQuotedNewlines", "autodetect", "clustering", "createDisposition",
    "destinationTable", "destinationTableProperties", "encoding", "fieldDelimiter",
    "ignoreUnknownValues", "maxBadRecords",
    "nullMarker", "parquetOptions", "quote", "schema", "schemaUpdateOptions", "skipLeadingRows",
    "sourceFormat", "sourceUris", "timePartitioning", "useAvroLogicalTypes", "writeDisposition",
}  # fmt: skip
_KNOWN_PROPERTIES = {"description", "friendlyName", "labels"}


@dataclass(frozen=True)
class CsvOptions:
    delimiter: str = ","
    quote: str = '"'
    skip_rows: int = 0
    null_marker: str = ""
    jagged: bool = False
    quoted_newlines: bool = False


@dataclass(frozen=True)
class LoadConfig:
    """A load job's configuration."""

    write: Write
    uris: tuple[str, ...]
    format: str
    autodetect: bool
    max_bad_records: int
    list_inference: bool
    logical_types: bool
    csv: CsvOptions


def parse(body: Mapping[str, Any], project: str) -> LoadConfig:
    """Reads `configuration.load`. Raises ApiError 400 for a wrong option, 501 for unknown ones."""
    for key, value in body.items():
        if key not in _KNOWN_KEYS and value not in (None, "", [], {}, False):
            raise unsupported(f"the load option {key}")
    for key in (body.get("destinationTableProperties") or {}).keys() - _KNOWN_PROPERTIES:
        raise unsupported(f"destinationTableProperties.{key}")
    if not body.get("destinationTable"):
        raise ApiError(400, "Required parameter is missing: destinationTable")
    if str(body.get("encoding") or "UTF-8").upper() not in ("UTF-8", "UTF8"):
        raise unsupported(f"the load encoding {body['encoding']}")
    source_format = str(body.get("sourceFormat") or "CSV")
    if source_format not in FORMATS:
        raise unsupported(f"the source format {source_format}")
    fields = schema.parse(body["schema"]) if body.get("schema") else None
    write = writes.parse(
        body,
        target(body["destinationTable"], project),
        "WRITE_APPEND",
        fields or None,
        ignore_unknown=bool(body.get("ignoreUnknownValues")),
    )
    return LoadConfig(
        write=write,
        uris=tuple(body.get("sourceUris") or ()),
        format=source_format,
        autodetect=bool(body.get("autodetect")),
        max_bad_records=int(body.get("maxBadRecords") or 0),
        list_inference=_parquet_lists(body.get("parquetOptions") or {}),
        logical_types=bool(body.get("useAvroLogicalTypes")),
        csv=_csv(body),
    )


def _csv(body: Mapping[str, Any]) -> CsvOptions:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(
        str(body.get("fieldDelimiter") or ","), str(body.get("fieldDelimiter") or ",")
    )
    quote = body.get("quote")
    return CsvOptions(
        delimiter=delimiter,
        quote='"' if quote is None else str(quote),
        skip_rows=int(body.get("skipLeadingRows") or 0),
        null_marker=str(body.get("nullMarker") or ""),
        jagged=bool(body.get("allowJaggedRows")),
        quoted_newlines=bool(body.get("allowQuotedNewlines")),
    )


def _parquet_lists(options: Mapping[str, Any]) -> bool:
    for key, value in options.items():
        if key != "enableListInference" and value:
            raise unsupported(f"parquetOptions.{key}")
    return bool(options.get("enableListInference"))
