"""What the steps have in common that begin long-running operations of Vertex AI."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, Protocol

from airflow.providers.common.compat.sdk import AirflowException

from beam_jobs.runs.plan import Pinned
from nightstream.operators.model.base import ReleaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from beam_jobs.runs.release import ReleasePlan
    from nightstream.hooks.model_registry import ModelRegistryHook
    from nightstream.hooks.operations import Operation
    from nightstream.hooks.rollout import RolloutHook


class Remembered(Pinned):
    """The operation that a step waits for, and the try that began to."""

    operation: str
    run_id: str
    try_number: int


class Operates(Protocol):
    """What knows the operations of one resource."""

    def operation(self, name: str) -> Operation | None:
        """One of them; None where it is forgotten."""

    def running(self) -> Operation | None:
        """One that is under way, whoever began it."""


class OperatingOperator(ReleaseOperator):
    """Waits for operations without holding a worker.

    What was begun is written down, and what is under way is found at the resource itself: a task
    that was killed between the two begins nothing twice.
    """

    @cached_property
    def registry(self) -> ModelRegistryHook:
        from nightstream.hooks.model_registry import ModelRegistryHook

        return ModelRegistryHook(self.environment, self.spec)

    @cached_property
    def endpoint(self) -> RolloutHook:
        from nightstream.hooks.rollout import RolloutHook

        assert self.spec.model.endpoint is not None
        return RolloutHook(self.environment, self.spec.model.endpoint)

    def await_operations(self, hook: Operates, plan: ReleasePlan, context: Context) -> None:
        """Returns once nothing is under way. Raises AirflowException with the error of what this
        very try waited for; an earlier try's has been told."""
        remembered = self._remembered(plan)
        begun = hook.operation(remembered.operation) if remembered else None
        if begun is not None and not begun.done:
            self.await_operation(begun, plan, context)
        if begun is not None and begun.error and remembered == self._mine(begun, context):
            raise AirflowException(f"Vertex AI: {begun.error} ({begun.name})")
        running = hook.running()
        if running is not None:
            self.await_operation(running, plan, context)

    def await_operation(
        self, operation: Operation, plan: ReleasePlan, context: Context
    ) -> NoReturn:
        """Writes it down and ends this turn of the task."""
        self.log.info("Waiting for %s", operation.name)
        mine = self._mine(operation, context)
        if self._remembered(plan) != mine:
            self.objects.put(plan.operation_uri(self.task_id), mine.model_dump_json().encode())
        self.look_again()

    def _mine(self, operation: Operation, context: Context) -> Remembered:
        ti = context["ti"]
        return Remembered(operation=operation.name, run_id=ti.run_id, try_number=ti.try_number)

    def _remembered(self, plan: ReleasePlan) -> Remembered | None:
        try:
            data = self.objects.read(plan.operation_uri(self.task_id))
        except FileNotFoundError:
            return None
        return Remembered.model_validate_json(data)
