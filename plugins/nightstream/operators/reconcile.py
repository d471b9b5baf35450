"""Proves that the books of a service close, or names what keeps them from it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.forms.reconcile import ReconcileChoices
from nightstream.operators.base import ServiceOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

DAYS = 7
"""So many days are looked at, unless the form says otherwise."""


class ReconcileOperator(ServiceOperator):
    """Fails, and alerts, where the books do not close; changes nothing either way."""

    ui_color = "#eeeaf7"

    def execute(self, context: Context) -> None:
        from nightstream.alerts import Alert, send
        from nightstream.reconciling.service import reconcile

        first, last = self._days(context)
        found = reconcile(self.spec, self.environment, first, last)
        self.log.info("\n%s", found.text())
        if not found.differences:
            return
        listed = "\n".join(f"- {difference}" for difference in found.differences)
        text = f"the books of {self.spec.service} from {first} to {last} do not close:\n{listed}"
        alert = Alert("THE BOOKS DO NOT CLOSE", text, self.spec.service, "error")
        send(alert, self.environment.airflow.alerts, context)
        raise AirflowFailException(text)

    def _days(self, context: Context) -> tuple[date, date]:
        choices = ReconcileChoices.of(context)
        last = choices.to_date or context["dag_run"].run_after.date() - timedelta(days=1)
        return choices.from_date or last - timedelta(days=DAYS - 1), last
