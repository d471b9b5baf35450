"""Watches a Dataflow job by the REST API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from beam_jobs.spec import EnvironmentSpec
from nightstream.triggers.patience import Patience

if TYPE_CHECKING:
    from nightstream.hooks.dataflow import DataflowHook


class DataflowJobTrigger(BaseTrigger):
    """Fires when a job is in none of some states any more, or at a deadline.

    It only looks: a trigger that is cancelled, because its task was cleared or killed, leaves the
    job alone.
    """

    def __init__(
        self, job_id: str, states: list[str], environment: dict[str, Any], until: str | None = None
    ) -> None:
        """states: without the prefix JOB_STATE_; environment: the EnvironmentSpec as JSON;
        until: the deadline, an ISO time."""
        super().__init__()
        self.job_id = job_id
        self.states = states
        self.environment = environment
        self.until = until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "nightstream.triggers.dataflow_job.DataflowJobTrigger",
            {
                "job_id": self.job_id,
                "states": self.states,
                "environment": self.environment,
                "until": self.until,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        poll_seconds = self._spec.airflow.poll_seconds
        patience = Patience()
        while True:
            try:
                job = await asyncio.to_thread(lambda: self._hook.get(self.job_id))
            except Exception as error:
                reason = patience.tried_by(error)
                if reason is None:
                    yield TriggerEvent({"job_id": self.job_id, "state": "not to be seen"})
                    return
                self.log.warning("job %s: %s", self.job_id, reason)
            else:
                patience.restored()
                if job.state not in self.states or self._overdue():
                    yield TriggerEvent({"job_id": self.job_id, "state": job.state})
                    return
            await asyncio.sleep(poll_seconds)

    def _overdue(self) -> bool:
        return self.until is not None and datetime.now(UTC) >= datetime.fromisoformat(self.until)

    @cached_property
    def _spec(self) -> EnvironmentSpec:
        return EnvironmentSpec.model_validate(self.environment)

    @cached_property
    def _hook(self) -> DataflowHook:
        from nightstream.hooks.dataflow import DataflowHook

        return DataflowHook(self._spec)
