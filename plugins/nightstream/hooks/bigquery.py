"""BigQuery, in the environment's project and location.

The client reads BIGQUERY_EMULATOR_HOST itself. The provider's `get_records` and what is built on
it do not, and a data frame fetched through the Storage API neither: this hook offers the client
alone, and rows are read as rows.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.cloud.bigquery import Client, QueryJobConfig, SchemaField, Table

    from beam_jobs.spec import EnvironmentSpec
    from nightstream.tables import TableId, TableSchema, View

_DAY_MS = 24 * 60 * 60 * 1000


def bigquery_client(environment: EnvironmentSpec) -> Client:
    """A client with the credentials of the environment's Airflow connection."""
    from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
    from google.cloud import bigquery

    from nightstream.hooks.sessions import BoundedSession

    credentials = GoogleBaseHook(gcp_conn_id=environment.airflow.gcp_conn_id).get_credentials()
    return bigquery.Client(
        project=environment.project,
        location=environment.bigquery.location,
        credentials=credentials,
        _http=BoundedSession(credentials),
    )


def schema_fields(schema: TableSchema) -> list[SchemaField]:
    """The columns in BigQuery's own terms; every one is nullable."""
    from google.cloud.bigquery import SchemaField

    return [
        SchemaField(column.name, column.type, description=column.description)
        for column in schema.columns
    ]


def created_table(client: Client, table_id: TableId, schema: TableSchema) -> Table:
    """The table as it is, created partitioned and clustered where there was none; its partitions
    expire as the schema says."""
    from google.cloud.bigquery import Table, TimePartitioning

    wanted = Table(str(table_id), schema=schema_fields(schema))
    milliseconds = None if schema.days is None else schema.days * _DAY_MS
    wanted.time_partitioning = TimePartitioning(
        field=schema.partitioned_by, expiration_ms=milliseconds
    )
    wanted.clustering_fields = list(schema.clustered_by) or None
    client.create_table(wanted, exists_ok=True)
    return _expiring(client, client.get_table(str(table_id)), milliseconds)


def _expiring(client: Client, table: Table, milliseconds: int | None) -> Table:
    """The table with partitions that expire after that time, changed where they do not."""
    from google.api_core.exceptions import PreconditionFailed

    partitioning = table.time_partitioning
    if milliseconds is None or partitioning is None:
        return table
    if partitioning.expiration_ms == milliseconds:
        return table
    partitioning.expiration_ms = milliseconds
    table.time_partitioning = partitioning
    try:
        return client.update_table(table, ["time_partitioning"])
    except PreconditionFailed:
        # Somebody else changed it at this moment, most likely to the same; the next task sees.
        return client.get_table(table.reference)


def extended_table(client: Client, table_id: TableId, schema: TableSchema) -> None:
    """Creates the table where there is none, and adds the columns that it lacks."""
    add_missing_columns(client, created_table(client, table_id, schema), schema)


def add_missing_columns(client: Client, table: Table, schema: TableSchema) -> None:
    """Adds the columns that a table lacks; BigQuery takes no notice of case in their names."""
    there = {field.name.lower() for field in table.schema}
    missing = [field for field in schema_fields(schema) if field.name.lower() not in there]
    if missing:
        table.schema = [*table.schema, *missing]
        client.update_table(table, ["schema"])


def standing_view(client: Client, view: View) -> Table:
    """What stands under the view's name: the view, created or changed to its query where needed,
    or a table that somebody else put there."""
    from google.api_core.exceptions import NotFound
    from google.cloud.bigquery import Table

    wanted = Table(str(view.id))
    wanted.view_query = view.query
    try:
        standing = client.get_table(str(view.id))
    except NotFound:
        return client.create_table(wanted, exists_ok=True)
    if standing.table_type != "VIEW" or standing.view_query == view.query:
        return standing
    standing.view_query = view.query
    return client.update_table(standing, ["view_query"])


Parameter = date | str | tuple[str, ...]
"""A value of a query parameter: DATE, STRING or ARRAY<STRING>."""


class QueryRefusedError(Exception):
    """A query that cannot be run, or is none; nothing was run."""


def selected_rows(
    client: Client, sql: str, parameters: Mapping[str, Parameter], page_rows: int = 10_000
) -> Iterator[Mapping[str, Any]]:
    """The rows of one SELECT by column name, read page by page.

    Raises QueryRefusedError where BigQuery refuses it, or where it would do more than select:
    parts of it may come from a form.
    """
    from google.api_core.exceptions import BadRequest, NotFound

    try:
        checked = client.query(sql, job_config=_query_config(parameters, dry_run=True))
        if checked.statement_type != "SELECT":
            raise QueryRefusedError(f"it is a {checked.statement_type}, not one SELECT:\n{sql}")
        job = client.query(sql, job_config=_query_config(parameters, dry_run=False))
        for row in job.result(page_size=page_rows):
            yield dict(row.items())
    except (BadRequest, NotFound) as error:
        raise QueryRefusedError(f"{error.message}:\n{sql}") from error


def _query_config(parameters: Mapping[str, Parameter], *, dry_run: bool) -> QueryJobConfig:
    from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter

    return QueryJobConfig(
        dry_run=dry_run,
        use_query_cache=False,
        query_parameters=[
            ArrayQueryParameter(name, "STRING", list(value))
            if isinstance(value, tuple)
            else ScalarQueryParameter(name, "DATE" if isinstance(value, date) else "STRING", value)
            for name, value in parameters.items()
        ],
    )
