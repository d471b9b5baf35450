"""Which nights have dead letters of a choice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from nightstream.operators.replay.base import ReplayOperator
from nightstream.tables import dead_letters_table, table_id

if TYPE_CHECKING:
    from datetime import date

    from airflow.providers.common.compat.sdk import Context

    from nightstream.replaying.choice import LetterChoice


class NightsOperator(ReplayOperator):
    """Returns the arguments with which `each_night` triggers a DAG run for each of the nights.

    A task of its own: what a task returns that skips others does not expand tasks.
    """

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        return [self._run_of(night, context) for night in self._nights(self.letters(context))]

    def _nights(self, letters: LetterChoice) -> list[date]:
        from nightstream.replaying.choice import nights_query, parameters

        table = table_id(self.environment, dead_letters_table(self.spec.service))
        counted: dict[date, list[str]] = defaultdict(list)
        query = nights_query(table, letters)
        for row in self.selected(self.client(), query, parameters(letters)):
            counted[row["night"]].append(f"{row['letters']:,} {row['error_code']}")
        for night, codes in counted.items():
            self.log.info("Night %s: %s", night, ", ".join(codes))
        if not counted:
            raise AirflowSkipException(
                f"no night from {letters.first} to {letters.last} has such dead letters"
            )
        return list(counted)

    def _run_of(self, night: date, context: Context) -> dict[str, Any]:
        """The same form for one night, under an id that a retry finds again."""
        form = {**context["params"], "from_date": night.isoformat(), "to_date": None}
        return {"trigger_run_id": f"{context['ti'].run_id}__{night.isoformat()}", "conf": form}
