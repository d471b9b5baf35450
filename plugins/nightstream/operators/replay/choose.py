"""The first task of a replay: which nights have dead letters of that choice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, SkipMixin

from nightstream.forms.replay import ReplayChoices
from nightstream.operators.replay.base import ReplayOperator
from nightstream.tables import dead_letters_table, table_id

if TYPE_CHECKING:
    from datetime import date

    from airflow.providers.common.compat.sdk import Context

    from nightstream.replaying.choice import LetterChoice


class ChooseOperator(ReplayOperator, SkipMixin):
    """Goes on to `resolve` for one night, to `each_night` for several, to `send` for requests.

    Returns the arguments with which `each_night` triggers a DAG run for each of several nights.
    """

    ui_color = "#e8f1fb"

    def execute(self, context: Context) -> None:
        ti, choices, letters = context["ti"], ReplayChoices.of(context), self.letters(context)
        runs: list[dict[str, Any]] = []
        if choices.source == "streaming":
            follow = "send"
        elif letters.first == letters.last:
            follow = "resolve"
        else:
            follow = "each_night"
            runs = [self._run_of(night, context) for night in self._nights(letters)]
        # Skipping ends the task at once, before Airflow would take what it returns.
        ti.xcom_push(key="return_value", value=runs)
        self.skip_all_except(ti, follow)

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
