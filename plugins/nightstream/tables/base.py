"""What a table is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from beam_jobs.spec import EnvironmentSpec, ServiceSpec

_FIELD_TYPES = {
    "string": "STRING",
    "integer": "INTEGER",
    "float": "FLOAT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}


@dataclass(frozen=True)
class Column:
    """One nullable column; the type is spelt as the BigQuery API answers it."""

    name: str
    type: str
    description: str = ""


DEPLOYED_MODEL = Column(
    "deployed_model_id", "STRING", "Of the endpoint that predicted; null where a worker did"
)


@dataclass(frozen=True)
class TableSchema:
    """A table with one partition for each day of a DATE or TIMESTAMP column."""

    columns: tuple[Column, ...]
    partitioned_by: str
    clustered_by: tuple[str, ...] = ()
    days: int | None = None
    """After so many days a partition expires; None: as the table has it, or the dataset for new
    ones."""

    def kept(self, days: int | None) -> Self:
        """The table with partitions that expire after so many days."""
        return replace(self, days=days)


@dataclass(frozen=True)
class TableId:
    """The full name of a table or view."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}.{self.table}"

    def partition(self, score_date: date) -> str:
        """The table with its partition decorator, as `table$YYYYMMDD`."""
        return f"{self}${score_date:%Y%m%d}"


@dataclass(frozen=True)
class View:
    """A query that stands under a name."""

    id: TableId
    query: str
    """GoogleSQL."""


def table_id(environment: EnvironmentSpec, table: str) -> TableId:
    """A table of the environment's dataset."""
    return TableId(environment.project, environment.bigquery.dataset, table)


def field_columns(spec: ServiceSpec) -> tuple[Column, ...]:
    """The contract's fields."""
    return tuple(
        Column(field.name, _FIELD_TYPES[field.type], field.description)
        for field in spec.input.fields
    )


def output_columns(spec: ServiceSpec) -> tuple[Column, ...]:
    """What the model returns."""
    return tuple(Column(output.name, _FIELD_TYPES[output.type]) for output in spec.model.outputs)
