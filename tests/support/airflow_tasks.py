"""Runs an operator of any provider as a task: execute, defer, trigger, resume."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.hooks.dataflow import DataflowHook
from airflow.sdk.module_loading import import_string
from google.api_core.client_options import ClientOptions

_NIGHT = datetime(2026, 1, 5, tzinfo=UTC)
_PATIENCE_S = 60


def point_hooks_at(url: str, patch: pytest.MonkeyPatch) -> None:
    """What no variable does: the endpoint of the clients that these hooks build by discovery."""

    def client_options(self: Any, api_endpoint_override: str | None = None) -> ClientOptions:  # noqa: ARG001
        return ClientOptions(api_endpoint=url)

    for hook in (DataflowHook, BigQueryHook):
        patch.setattr(hook, "get_client_options", client_options)


@dataclass
class TaskRun:
    """What an operator sees of its one run."""

    operator: Any
    interval_start: datetime = _NIGHT
    """The data interval is the day that begins here."""
    try_number: int = 1
    xcoms: dict[str, Any] = field(default_factory=dict)
    deferred: list[str] = field(default_factory=list)
    """The triggers that it waited for."""

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value

    @property
    def context(self) -> dict[str, Any]:
        return {
            "ti": self,
            "task_instance": self,
            "task": self.operator,
            "ds": _NIGHT.date().isoformat(),
            "logical_date": _NIGHT,
            "data_interval_start": self.interval_start,
            "data_interval_end": self.interval_start + timedelta(days=1),
            "dag_run": SimpleNamespace(run_after=_NIGHT, logical_date=_NIGHT, run_id="night"),
        }

    def finish(self) -> Any:
        """Runs the task to its end; what it returned."""
        step, arguments = self.operator.execute, {}
        while True:
            try:
                return step(self.context, **arguments)
            except TaskDeferred as waiting:
                event = asyncio.run(_fired(waiting.trigger))
                self.deferred.append(type(waiting.trigger).__name__)
                step = getattr(self.operator, waiting.method_name)
                arguments = {**(waiting.kwargs or {}), "event": event}


def run(operator: Any) -> Any:
    """Runs an operator to its end; what it returned."""
    return TaskRun(operator).finish()


async def _fired(trigger: Any) -> Any:
    """The payload of a trigger's first event, as the triggerer would get it from its own copy."""
    path, arguments = trigger.serialize()
    copy = import_string(path)(**arguments)
    async with asyncio.timeout(_PATIENCE_S):
        return (await anext(aiter(copy.run()))).payload
