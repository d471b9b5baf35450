"""The live tables and views, as a revision of the streaming job needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beam_jobs.runs.profiles import live_profiles_table
from beam_jobs.runs.streaming import live_dead_letters_table, live_predictions_table
from nightstream.hooks.bigquery import add_missing_columns, standing_view
from nightstream.publishing.evolution import SchemaConflictError
from nightstream.publishing.preparation import fitting_table
from nightstream.tables import (
    live_dead_letters_schema,
    live_dead_letters_view,
    live_predictions_schema,
    live_predictions_view,
    live_profiles_schema,
    table_id,
)

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from beam_jobs.spec import EnvironmentSpec, ServiceSpec


def prepare_live_tables(client: Client, spec: ServiceSpec, environment: EnvironmentSpec) -> None:
    """Creates what is missing, adds missing columns, brings the views up to date.

    A job of an earlier revision that still runs is not disturbed by it. Raises
    SchemaConflictError, before anything is changed, where a table cannot take the rows.
    """
    schemas = {
        live_predictions_table(spec.service): live_predictions_schema(spec).kept(
            environment.retention.live_predictions_days
        ),
        live_dead_letters_table(spec.service): live_dead_letters_schema().kept(
            environment.retention.live_dead_letters_days
        ),
        live_profiles_table(spec.service): live_profiles_schema(),
    }
    tables = [
        (fitting_table(client, table_id(environment, name), schema), schema)
        for name, schema in schemas.items()
    ]
    for table, schema in tables:
        add_missing_columns(client, table, schema)
    for view in (
        live_predictions_view(spec, environment),
        live_dead_letters_view(spec, environment),
    ):
        if standing_view(client, view).table_type != "VIEW":
            conflict = "it is a table, and should be a view. Remedy: rename it, or drop it"
            raise SchemaConflictError(str(view.id), [conflict])
