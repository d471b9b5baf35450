"""What an extract job asks for, read once and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.bigquery.names import Target, target
from local.cloud.http import ApiError, unsupported

_COMPRESSIONS = {
    "CSV": ("NONE", "GZIP"),
    "NEWLINE_DELIMITED_JSON": ("NONE", "GZIP"),
    "AVRO": ("NONE", "DEFLATE", "SNAPPY"),
    "PARQUET": ("NONE", "SNAPPY", "GZIP", "ZSTD"),
}
_KNOWN_KEYS = {
    "compression", "destinationFormat", "destinationUri", "destinationUris", "fieldDelimiter",
    "printHeader", "sourceTable", "useAvroLogicalTypes",
}  # fmt: skip
_URI = re.compile(r"gs://([^/*]+)/(.+)")


@dataclass(frozen=True)
class Destination:
    """Where files go: one object, or as many as are needed where the name has a wildcard."""

    bucket: str
    pattern: str

    @property
    def many(self) -> bool:
        return "*" in self.pattern

    def name(self, number: int) -> str:
        return self.pattern.replace("*", f"{number:012d}")


@dataclass(frozen=True)
class ExtractConfig:
    """An extract job's configuration."""

    source: Target
    destinations: tuple[Destination, ...]
    format: str
    compression: str
    delimiter: str
    header: bool
    logical_types: bool


def parse(body: Mapping[str, Any], project: str) -> ExtractConfig:
    """Reads `configuration.extract`. Raises ApiError 400 for a wrong option, 501 for unknown."""
    for key, value in body.items():
        if key not in _KNOWN_KEYS and value not in (None, "", [], {}, False):
            raise unsupported(f"the extract option {key}")
    if not body.get("sourceTable"):
        raise ApiError(400, "Required parameter is missing: sourceTable")
    format_ = str(body.get("destinationFormat") or "CSV")
    if format_ not in _COMPRESSIONS:
        raise unsupported(f"the destination format {format_}")
    compression = str(body.get("compression") or "NONE")
    if compression not in _COMPRESSIONS[format_]:
        raise ApiError(400, f"Compression type {compression} is not supported for {format_}")
    if (format_, compression) == ("AVRO", "SNAPPY"):
        raise unsupported("SNAPPY compression of Avro")
    delimiter = str(body.get("fieldDelimiter") or ",")
    return ExtractConfig(
        source=target(body["sourceTable"], project),
        destinations=_destinations(body),
        format=format_,
        compression=compression,
        delimiter={"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter),
        header=body.get("printHeader") is not False,
        logical_types=bool(body.get("useAvroLogicalTypes")),
    )


def _destinations(body: Mapping[str, Any]) -> tuple[Destination, ...]:
    uris = list(body.get("destinationUris") or [])
    if body.get("destinationUri"):
        uris.append(body["destinationUri"])
    if not uris:
        raise ApiError(400, "Required parameter is missing: destinationUris")
    found = []
    for uri in uris:
        match = _URI.fullmatch(uri)
        if not match or match[2].count("*") > 1:
            raise ApiError(400, f"Invalid extract destination URI '{uri}'.")
        found.append(Destination(match[1], match[2]))
    if len(found) > 1 and not all(destination.many for destination in found):
        raise ApiError(400, "Each of several destination URIs needs a wildcard (*).")
    return tuple(found)
