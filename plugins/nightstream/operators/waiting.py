"""A task that waits without holding a worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import BaseSensorOperator

from nightstream.operators.base import ServiceOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import BaseTrigger

    from beam_jobs.spec import EnvironmentSpec


class WaitingOperator(ServiceOperator, BaseSensorOperator):
    """Defers to a trigger or, where the triggerer cannot import this package, reschedules itself.

    Either way the task looks again with fresh eyes: whatever woke it up is only a reason to look.
    """

    def __init__(self, *, environment: EnvironmentSpec, **kwargs: Any) -> None:
        airflow = environment.airflow
        super().__init__(
            environment=environment,
            mode="poke" if airflow.deferrable else "reschedule",
            poke_interval=airflow.poll_seconds,
            **kwargs,
        )

    def wait(self, trigger: BaseTrigger, **remembered: Any) -> NoReturn:
        """Ends this turn of the task; `execute_complete` (with what is to be remembered) or
        `execute` is the next one."""
        if self.environment.airflow.deferrable:
            self.defer(trigger=trigger, method_name="execute_complete", kwargs=remembered)
        from airflow.exceptions import AirflowRescheduleException

        raise AirflowRescheduleException(datetime.now(UTC) + timedelta(seconds=self.poke_interval))

    def execute_complete(self, context: Context, event: Any = None, **remembered: Any) -> Any:
        """Called when the trigger fired."""
        raise NotImplementedError
