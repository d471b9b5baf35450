"""Where labels and predictions lie, and whether the two can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from beam_jobs.spec.labels import LabelsSpec
from nightstream.labelling.files import FileColumns, LabelError
from nightstream.labelling.queries import Comparison, Labels, Predictions, joinable, number_sql
from nightstream.tables import (
    PARTITION_COLUMN,
    Column,
    TableId,
    live_predictions_view,
    predictions_schema,
    predictions_table,
    table_id,
)
from nightstream.tables.quality import labels_table

if TYPE_CHECKING:
    from google.cloud.bigquery import Client


def label_columns(spec: ServiceSpec, labels: LabelsSpec) -> FileColumns:
    """What is read of a label file."""
    types = {field.name: field.type for field in spec.input.fields}
    key = spec.input.key
    return FileColumns(labels.key or key, types[key], labels.label, labels.night)


def place_of_labels(spec: ServiceSpec, labels: LabelsSpec, environment: EnvironmentSpec) -> TableId:
    """The declared table, or the one that files are loaded into."""
    if labels.table is None:
        return table_id(environment, labels_table(spec.service))
    *project, dataset, table = labels.table.rsplit(".", 2)
    return TableId(project[0] if project else environment.project, dataset, table)


def joinable_labels(
    client: Client, place: TableId, spec: ServiceSpec, labels: LabelsSpec
) -> Labels:
    """The labels, if they can be joined. Raises LabelError."""
    columns = _columns(client, place)
    if columns is None:
        raise LabelError(
            f"there is no table {place}. Remedy: create it, or name another in labels.table"
        )
    declared = {column.name: column.type for column in predictions_schema(spec).columns}
    key = _column(columns, labels.key or spec.input.key, "labels.key", place)
    if _same(key.type) != declared[spec.input.key]:
        raise LabelError(
            f"{place}.{key.name} is {key.type}, the input's key {spec.input.key} is "
            f"{declared[spec.input.key]}. Remedy: name a column of that type in labels.key, or a "
            "view that converts it"
        )
    label = _column(columns, labels.label, "labels.label", place)
    value = number_sql(label)
    if value is None:
        raise LabelError(
            f"{place}.{label.name} is {label.type}, and labels are numbers. Remedy: name another "
            "column in labels.label, or a view that converts it"
        )
    if labels.night is not None:
        night = _column(columns, labels.night, "labels.night", place)
        if night.type != "DATE":
            raise LabelError(
                f"{place}.{night.name} is {night.type}, and nights are DATE. Remedy: name another "
                "column in labels.night, or a view that converts it"
            )
    return Labels(place, key.name, value, labels.night)


def comparison(
    client: Client,
    spec: ServiceSpec,
    labels: LabelsSpec,
    environment: EnvironmentSpec,
    truth: Labels,
) -> Comparison | None:
    """What can be compared with the labels; None where nothing was ever published."""
    output = labels.output or spec.model.outputs[0].name
    [column] = (c for c in predictions_schema(spec).columns if c.name == output)
    places = tuple(
        part for part in _predictions(spec, environment) if _columns(client, part.table) is not None
    )
    return Comparison(places, truth, spec.input.key, column) if places else None


def _predictions(spec: ServiceSpec, environment: EnvironmentSpec) -> Iterator[Predictions]:
    nights = table_id(environment, predictions_table(spec.service))
    yield Predictions(nights, "batch", PARTITION_COLUMN)
    if spec.streaming is not None:
        yield Predictions(live_predictions_view(spec, environment).id, "streaming", "publish_date")


def _columns(client: Client, table: TableId) -> list[Column] | None:
    from google.api_core.exceptions import NotFound

    try:
        fields = client.get_table(str(table)).schema
    except NotFound:
        return None
    return [Column(field.name, field.field_type) for field in fields]


def _column(columns: list[Column], name: str, setting: str, place: TableId) -> Column:
    found = joinable(columns, name)
    if found is None:
        known = ", ".join(column.name for column in columns)
        raise LabelError(f"{place} has no column {name}. Remedy: name one of {known} in {setting}")
    return found


def _same(type_: str) -> str:
    """The type as the tables spell it."""
    return {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}.get(type_, type_)
