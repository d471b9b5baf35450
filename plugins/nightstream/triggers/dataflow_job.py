"""Watches a Dataflow job by the REST API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from beam_jobs.spec import EnvironmentSpec
from nightstream.scoring.jobs import Phase
from nightstream.triggers.patience import Patience

if TYPE_CHECKING:
    from nightstream.hooks.dataflow import DataflowHook


class DataflowJobTrigger(BaseTrigger):
    """Fires when a job leaves the phase it was seen in.

    It only looks: a trigger that is cancelled, because its task was cleared or killed, leaves the
    job alone.
    """

    def __init__(self, job_id: str, phase: str, environment: dict[str, Any]) -> None:
        """phase: value of a Phase; environment: the EnvironmentSpec as JSON."""
        super().__init__()
        self.job_id = job_id
        self.phase = phase
        self.environment = environment

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "nightstream.triggers.dataflow_job.DataflowJobTrigger",
            {"job_id": self.job_id, "phase": self.phase, "environment": self.environment},
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
                if job.phase is not Phase(self.phase):
                    yield TriggerEvent({"job_id": self.job_id, "state": job.state})
                    return
            await asyncio.sleep(poll_seconds)

    @cached_property
    def _spec(self) -> EnvironmentSpec:
        return EnvironmentSpec.model_validate(self.environment)

    @cached_property
    def _hook(self) -> DataflowHook:
        from nightstream.hooks.dataflow import DataflowHook

        return DataflowHook(self._spec)
