"""What the tasks of a replay have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.forms.replay import ReplayChoices
from nightstream.operators.base import ServiceOperator
from nightstream.replaying.choice import ChoiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from airflow.providers.common.compat.sdk import Context
    from google.cloud.bigquery import Client

    from nightstream.hooks.bigquery import Parameter
    from nightstream.replaying.choice import LetterChoice


class ReplayOperator(ServiceOperator):
    """One step of a replay."""

    def letters(self, context: Context) -> LetterChoice:
        """Which dead letters the DAG run is about."""
        try:
            return ReplayChoices.of(context).letters
        except ChoiceError as error:
            raise AirflowFailException(str(error)) from error

    def client(self) -> Client:
        from nightstream.hooks.bigquery import bigquery_client

        return bigquery_client(self.environment)

    def selected(
        self, client: Client, sql: str, parameters: Mapping[str, Parameter]
    ) -> Iterator[Mapping[str, Any]]:
        """The rows of a query that holds the form's condition."""
        from nightstream.hooks.bigquery import QueryRefusedError, selected_rows

        try:
            yield from selected_rows(client, sql, parameters)
        except QueryRefusedError as error:
            raise AirflowFailException(
                f"the dead letters cannot be looked up: {error}\nRemedy: mend the condition of "
                "the form; where the table is not found, nothing was ever published"
            ) from error
