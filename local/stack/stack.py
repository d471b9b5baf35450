"""The stack as a whole: brought up, looked at, taken down."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.stack.channels import create_channels, read_channels
from local.stack.cloud_sdk import bigquery_discovery
from local.stack.component import Component, State, state_of, with_needs
from local.stack.components import components
from local.stack.environment import client_variables, shell_environment, write_client_files
from local.stack.errors import StackError
from local.stack.ports import require_free
from local.stack.report import Report, Silent
from local.stack.resources import create_resources
from local.stack.settings import StackSettings, recorded_ports
from local.stack.starting import Start
from local.stack.stopping import stop_components, sweep
from local.stack.supervision import Supervision

_PORT_SECONDS = 5.0


@dataclass(frozen=True)
class ComponentStatus:
    """What `status` tells of one component."""

    name: str
    state: State
    pid: int | None
    started: float | None
    """Seconds since the epoch."""
    address: str
    """Where it serves; of one that is missing, how to install it."""
    log: Path


class Stack:
    """One stack on this machine. Every method may be called at any time, also after a crash."""

    def __init__(self, settings: StackSettings, report: Report | None = None) -> None:
        self.settings = settings
        self.components = components(settings)
        self._report = report or Silent()
        self._supervision = Supervision(settings)

    @property
    def env(self) -> dict[str, str]:
        """The variables that point clients at this stack."""
        return client_variables(self.settings)

    def up(self, names: Collection[str] | None = None) -> None:
        """Start what does not run, and return when all of it serves. Components that are named
        come up alone, with what they need. One that is not installed is told of and left out.

        Raises StackError when a port is taken, a component that was named is not installed, or
        one dies or does not become ready; what this call had started is stopped then.
        """
        wanted = self._installed(names)
        with self._alone():
            self._require_ports(wanted)
            self.settings.remember_ports()
            write_client_files(self.settings, bigquery_discovery())
            if all(self._supervision.serves(component) for component in wanted):
                self._report.say("The stack is up already.")
            else:
                Start(self._supervision, self._report).bring_up(wanted)
            self._create_resources({component.name for component in wanted})

    def down(self) -> int:
        """Stop everything that belongs to this stack: its components, nothing before what needs
        it, and every process that any of them left behind, also in an earlier life.

        Returns the number of processes that were stopped.
        """
        with self._alone():
            stopped = stop_components(self.components, self._supervision, self._report)
            stopped += sweep(self.settings.home)
            self.settings.ports_file.unlink(missing_ok=True)
            return stopped

    def status(self) -> list[ComponentStatus]:
        return [self._status(component) for component in self.components]

    def pid(self, name: str) -> int:
        """The process of a component. Raises KeyError when it does not run."""
        for status in self.status():
            if status.name == name and status.pid is not None:
                return status.pid
        raise KeyError(f"{name} does not run")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a client (`airflow`, `bq` …) against this stack, to its end, its output captured."""
        return subprocess.run(
            command,
            env=shell_environment(self.settings, os.environ),
            cwd=self.settings.repository,
            capture_output=True,
            text=True,
            check=False,
        )

    def _installed(self, names: Collection[str] | None) -> list[Component]:
        """What `up` is to bring up."""
        wanted = with_needs(self.components, names or [c.name for c in self.components])
        for component in wanted:
            if component.unavailable and names:
                raise component.unavailable
            if component.unavailable:
                self._report.say(f"Without {component.name}: {component.unavailable}")
        return [component for component in wanted if not component.unavailable]

    def _create_resources(self, serving: Collection[str]) -> None:
        """Make what clients expect to find. An emulator that was killed has forgotten its part."""
        settings = self.settings
        if "cloud" in serving:
            create_resources(settings.cloud_url, settings.names)
        if "pubsub" in serving:
            url = f"http://{settings.pubsub_host}"
            create_channels(url, settings.names.project, read_channels(settings.services))

    def _status(self, component: Component) -> ComponentStatus:
        record = self._supervision.record(component)
        alive = record is not None and record.alive
        state = state_of(
            component,
            alive=alive,
            ready=self._supervision.serves(component),
            recorded=record is not None,
        )
        missing = component.unavailable if state == "missing" else None
        return ComponentStatus(
            name=component.name,
            state=state,
            pid=record.pid if record and alive else None,
            started=record.started if record and alive else None,
            address=f"{missing.message}; {missing.remedy}" if missing else component.address,
            log=self._supervision.log(component),
        )

    def _require_ports(self, wanted: list[Component]) -> None:
        alive = [c for c in self.components if self._supervision.is_alive(c)]
        used = recorded_ports(self.settings.ports_file)
        if alive and used and used != self.settings.ports:
            raise StackError(
                f"the stack runs already, on other ports: {used}",
                "`make down` first, or unset the ports",
            )
        for component in wanted:
            if component.port and component not in alive:
                self._supervision.end_orphans(component)
                # The kernel takes a moment to close the port of a process that was just killed.
                crashed = self._supervision.record(component) is not None
                patience = _PORT_SECONDS if crashed else 0.0
                require_free(*component.port, purpose=component.name, patience=patience)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One up or down at a time: a second one waits for the first."""
        self.settings.run.mkdir(parents=True, exist_ok=True)
        with (self.settings.run / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
