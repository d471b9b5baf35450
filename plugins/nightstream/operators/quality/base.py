"""What the tasks of a quality DAG have in common."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airflow.providers.common.compat.sdk import AirflowFailException

from nightstream.forms.quality import QualityChoices
from nightstream.operators.base import ServiceOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.spec.labels import LabelsSpec


class QualityOperator(ServiceOperator):
    """One step of a service that declares labels."""

    @property
    def declared(self) -> LabelsSpec:
        """The spec's section."""
        assert self.spec.labels is not None, "a service without labels has no such DAG"
        return self.spec.labels

    def nights(self, context: Context) -> tuple[date, date]:
        """First and last night that the DAG run measures."""
        zone = ZoneInfo(self.spec.schedule.timezone)
        today = context["dag_run"].run_after.astimezone(zone).date()
        first, last = QualityChoices.of(context).nights(today, self.declared.days)
        if last < first:
            raise AirflowFailException(
                f"the last night {last} is before the first, {first}. Remedy: exchange the two"
            )
        return first, last
