"""What is loaded where, and the tables it is loaded into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from nightstream.hooks.bigquery import created_table
from nightstream.publishing.evolution import SchemaConflictError, conflicts
from nightstream.publishing.ledger import Night
from nightstream.publishing.loads import Load
from nightstream.tables import (
    Column,
    TableId,
    TableSchema,
    dead_letters_schema,
    predictions_schema,
)

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, Table

    from beam_jobs.runs.manifest import RunManifest
    from beam_jobs.runs.plan import RunPlan
    from beam_jobs.spec.environment import RetentionSpec


@dataclass(frozen=True)
class Cargo:
    """A night and the two loads that publish it."""

    night: Night
    dead_letters: Load
    predictions: Load
    revises: str | None = None
    """The manifest of the publication that this one revises, and may alone take the place of."""

    @classmethod
    def of(
        cls,
        plan: RunPlan,
        manifest: RunManifest,
        dead_letters: TableId,
        predictions: TableId,
        retention: RetentionSpec,
    ) -> Self:
        """The files that the manifest lists, under the schemas of the plan's spec."""
        dead_letters_kept = dead_letters_schema().kept(retention.dead_letters_days)
        predictions_kept = predictions_schema(plan.spec).kept(retention.predictions_days)
        date = plan.score_date
        dead_uris = tuple(file.uri for file in manifest.dead_letters)
        uris = tuple(file.uri for file in manifest.predictions)
        return cls(
            night=Night(
                service=plan.service,
                score_date=date,
                rows_scored=manifest.rows_scored,
                rows_dead=manifest.rows_dead,
                model_version=manifest.models,
            ),
            dead_letters=Load(dead_letters, date, dead_letters_kept, dead_uris),
            predictions=Load(predictions, date, predictions_kept, uris),
            revises=plan.replay.manifest_uri if plan.replay else None,
        )


def prepare_tables(client: Client, cargo: Cargo) -> None:
    """Creates missing tables. Raises SchemaConflictError where one cannot take the rows.

    Added columns are left to the load, which adds them together with the first rows that have
    them.
    """
    for load in (cargo.dead_letters, cargo.predictions):
        fitting_table(client, load.table, load.schema)


def fitting_table(client: Client, table_id: TableId, schema: TableSchema) -> Table:
    """The table, created where there was none. Raises SchemaConflictError where it cannot take the
    rows, unless it only lacks columns."""
    table = created_table(client, table_id, schema)
    existing = [Column(field.name, field.field_type) for field in table.schema]
    partitioned_by = table.time_partitioning.field if table.time_partitioning else None
    found = conflicts(existing, partitioned_by, schema)
    if found:
        raise SchemaConflictError(str(table_id), found)
    return table
