"""What a query job asks for, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.bigquery import writes
from local.cloud.bigquery.names import DatasetRef, dataset_ref, target
from local.cloud.bigquery.writes import Write
from local.cloud.http import ApiError, unsupported

_KNOWN_KEYS = {
    "allowLargeResults", "clustering", "createDisposition", "defaultDataset", "destinationTable",
    "flattenResults", "maximumBytesBilled", "parameterMode", "priority", "query",
    "queryParameters", "schemaUpdateOptions", "timePartitioning", "useLegacySql",
    "useQueryCache", "writeDisposition",
}  # fmt: skip


@dataclass(frozen=True)
class QueryConfig:
    """A query job's configuration; `write` is None when the results go to a temporary table."""

    query: str
    default_dataset: DatasetRef | None
    parameter_mode: str | None
    parameters: tuple[Mapping[str, Any], ...]
    write: Write | None


def parse(body: Mapping[str, Any], project: str) -> QueryConfig:
    """Reads `configuration.query`. Raises ApiError 400 for a wrong option, 501 for unknown ones."""
    for key, value in body.items():
        if key not in _KNOWN_KEYS and value not in (None, "", [], {}, False):
            raise unsupported(f"the query option {key}")
    if body.get("useLegacySql", True):
        raise unsupported("legacy SQL (set useLegacySql to false)")
    if not body.get("query"):
        raise ApiError(400, "Required parameter is missing: query")
    dataset = body.get("defaultDataset")
    destination = body.get("destinationTable")
    return QueryConfig(
        query=str(body["query"]),
        default_dataset=dataset_ref(dataset, project) if dataset else None,
        parameter_mode=body.get("parameterMode"),
        parameters=tuple(body.get("queryParameters") or ()),
        write=writes.parse(body, target(destination, project), "WRITE_EMPTY")
        if destination
        else None,
    )
