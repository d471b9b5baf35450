"""Runs an operator of any provider as a task: execute, defer, trigger, resume."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.providers.google.cloud.hooks.bigquery import BigQueryConnection, BigQueryHook
from airflow.providers.google.cloud.hooks.dataflow import DataflowHook
from airflow.sdk.execution_time import macros
from airflow.sdk.module_loading import import_string
from google.api_core.client_options import ClientOptions
from googleapiclient.discovery import build

from tests.support.patience import PATIENCE_S

_NIGHT = datetime(2026, 1, 5, tzinfo=UTC)


def point_hooks_at(url: str, patch: pytest.MonkeyPatch) -> None:
    """What no variable does for the provider's hooks of Dataflow and BigQuery.

    Both take their endpoint from `get_client_options`; SQL checks from `get_conn`, which wants the
    API's whole address. Triggers read BIGQUERY_EMULATOR_HOST, and want it without a scheme.
    """

    def client_options(hook: Any, override: str | None = None) -> ClientOptions:  # noqa: ARG001
        return ClientOptions(api_endpoint=url)

    def connection(hook: BigQueryHook) -> BigQueryConnection:
        service = build(
            "bigquery",
            "v2",
            http=hook._authorize(),
            client_options=ClientOptions(api_endpoint=f"{url}/bigquery/v2/"),
            cache_discovery=False,
        )
        return BigQueryConnection(
            service=service,
            project_id=hook.project_id,
            use_legacy_sql=hook.use_legacy_sql,
            location=hook.location,
            num_retries=hook.num_retries,
            hook=hook,
        )

    for hook in (DataflowHook, BigQueryHook):
        patch.setattr(hook, "get_client_options", client_options)
    patch.setattr(BigQueryHook, "get_conn", connection)
    patch.setenv("BIGQUERY_EMULATOR_HOST", url.removeprefix("http://"))


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
            "macros": macros,
            "logical_date": _NIGHT,
            "data_interval_start": self.interval_start,
            "data_interval_end": self.interval_start + timedelta(days=1),
            "dag_run": SimpleNamespace(
                run_id="night", logical_date=_NIGHT, run_after=_NIGHT, start_date=_NIGHT
            ),
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
    async with asyncio.timeout(PATIENCE_S):
        return (await anext(aiter(copy.run()))).payload
