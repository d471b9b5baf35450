"""Watches a night's folder until there is something to decide."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from beam_jobs.spec import EnvironmentSpec
from beam_jobs.spec.service import InputSpec
from nightstream.inputs.completeness import Waiting, judge
from nightstream.inputs.folder import see
from nightstream.triggers.patience import Patience

if TYPE_CHECKING:
    from beam_jobs.objects import Objects


class InputTrigger(BaseTrigger):
    """Fires when a night's input is complete, or has to be given up.

    The event is only a reason for the task to look itself.
    """

    def __init__(
        self, folder: str, input: dict[str, Any], deadline: str, environment: dict[str, Any]
    ) -> None:
        """folder: URI, ending in a slash; deadline: ISO time; the specs as JSON."""
        super().__init__()
        self.folder = folder
        self.input = input
        self.deadline = deadline
        self.environment = environment

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "nightstream.triggers.input.InputTrigger",
            {
                "folder": self.folder,
                "input": self.input,
                "deadline": self.deadline,
                "environment": self.environment,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        poll_seconds = EnvironmentSpec.model_validate(self.environment).airflow.poll_seconds
        patience = Patience()
        told: str | None = None
        while True:
            try:
                reason = await asyncio.to_thread(self._why_wait)
            except Exception as error:
                reason = patience.tried_by(error)
            else:
                patience.restored()
            if reason is None:
                yield TriggerEvent({"folder": self.folder})
                return
            if reason != told:
                self.log.info("waiting: %s", reason)
                told = reason
            await asyncio.sleep(poll_seconds)

    def _why_wait(self) -> str | None:
        """None when the task has something to decide."""
        input = InputSpec.model_validate(self.input)
        deadline = datetime.fromisoformat(self.deadline)
        folder = see(self.folder, input, self._objects)
        verdict = judge(input, folder, datetime.now(UTC), deadline)
        return verdict.reason if isinstance(verdict, Waiting) else None

    @cached_property
    def _objects(self) -> Objects:
        from nightstream.hooks.storage import gcs_objects

        return gcs_objects(EnvironmentSpec.model_validate(self.environment))
