"""Names of datasets and tables, in the forms BigQuery gives and DuckDB stores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.http import ApiError

_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_TABLE = re.compile(r"[\w\- ]{1,1024}")


def quoted(identifier: str) -> str:
    """A DuckDB identifier, whatever characters it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A DuckDB string literal."""
    return "'" + str(text).replace("'", "''") + "'"


@dataclass(frozen=True, order=True)
class DatasetRef:
    project: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}"

    @property
    def physical(self) -> str:
        """The DuckDB schema that holds the dataset's tables, quoted."""
        return quoted(self.schema_name)

    @property
    def schema_name(self) -> str:
        """`physical` without quotes."""
        return f"{self.project}.{self.dataset}"

    def to_json(self) -> dict[str, str]:
        return {"projectId": self.project, "datasetId": self.dataset}

    def table(self, table: str) -> TableRef:
        return TableRef(self.project, self.dataset, table)


@dataclass(frozen=True, order=True)
class TableRef:
    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}.{self.table}"

    @property
    def in_dataset(self) -> DatasetRef:
        return DatasetRef(self.project, self.dataset)

    @property
    def physical(self) -> str:
        """The DuckDB table, schema-qualified and quoted."""
        return f"{self.in_dataset.physical}.{quoted(self.table)}"

    def to_json(self) -> dict[str, str]:
        return {**self.in_dataset.to_json(), "tableId": self.table}


@dataclass(frozen=True)
class Target:
    """Where rows go: a whole table, or the one partition that `table$id` names."""

    table: TableRef
    partition: str | None = None


def dataset_ref(resource: Mapping[str, Any], project: str) -> DatasetRef:
    """Reads a datasetReference. Raises ApiError 400 for a name BigQuery does not allow."""
    name = str(resource.get("datasetId", ""))
    if not _DATASET.fullmatch(name):
        raise ApiError(400, f'Invalid dataset ID "{name}". Dataset IDs must be alphanumeric.')
    return DatasetRef(str(resource.get("projectId") or project), name)


def target(resource: Mapping[str, Any], project: str) -> Target:
    """Reads a tableReference whose tableId may carry a partition decorator."""
    name, dollar, partition = str(resource.get("tableId", "")).partition("$")
    if not _TABLE.fullmatch(name) or (dollar and not partition):
        raise ApiError(400, f'Invalid table ID "{resource.get("tableId", "")}".')
    dataset = dataset_ref(resource, project)
    return Target(dataset.table(name), partition or None)


def table_ref(resource: Mapping[str, Any], project: str) -> TableRef:
    """Reads a tableReference that must name a whole table."""
    found = target(resource, project)
    if found.partition:
        raise ApiError(400, f'Invalid table ID "{resource["tableId"]}": no decorator is allowed.')
    return found.table
