"""Which processes are the components of a stack, from the records on disk."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from local.stack import processes
from local.stack.component import Component
from local.stack.environment import process_environment
from local.stack.processes import ProcessRecord
from local.stack.settings import StackSettings


class Supervision:
    """Starts components and finds them again: in this process, in the next, after a crash."""

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings

    def record(self, component: Component) -> ProcessRecord | None:
        return ProcessRecord.read(self._record_file(component))

    def is_alive(self, component: Component) -> bool:
        record = self.record(component)
        return record is not None and record.alive

    def serves(self, component: Component) -> bool:
        """Alive and ready; for a step that runs once: done."""
        record = self.record(component)
        if component.once:
            return component.ready(0.0)
        return record is not None and record.alive and component.ready(record.started)

    def log(self, component: Component) -> Path:
        return self._settings.logs / f"{component.name}.log"

    def start(self, component: Component) -> ProcessRecord:
        """Start it afresh."""
        self.end_orphans(component)
        component.prepare()
        record = processes.start(
            component.command,
            process_environment(self._settings, os.environ),
            self._settings.repository,
            self.log(component),
        )
        record.write(self._record_file(component))
        return record

    def end_orphans(self, component: Component) -> None:
        """End what a dead process of this component left behind; it may hold its port."""
        if not self.is_alive(component):
            orphans = self.members(component)
            processes.ask(orphans, component.stop_signal)
            processes.await_end(orphans, component.patience)

    def members(self, component: Component) -> list[psutil.Process]:
        """The living processes of a component: its own and those of its session."""
        record = self.record(component)
        return processes.session_of(record, self._settings.home) if record else []

    def forget(self, component: Component) -> None:
        self._record_file(component).unlink(missing_ok=True)

    def _record_file(self, component: Component) -> Path:
        return self._settings.run / f"{component.name}.json"
