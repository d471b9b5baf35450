"""Starting the supervisor of a job."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import local
from local.cloud.dataflow.folder import JobFolder
from local.cloud.faults.in_jobs import VARIABLE
from local.cloud.supervised import environment_of, spawn


@dataclass(frozen=True)
class Launcher:
    """Starts supervisors, each in a session of its own, so that they outlive the server."""

    cloud_url: str
    pubsub: str | None
    faults: Path
    """Where jobs look for the points at which faults are armed."""

    def __call__(self, folder: JobFolder) -> None:
        first = "flex.launcher" if folder.launch() else "supervisor"
        spawn(f"local.cloud.dataflow.{first}", folder, folder.log, self._environment())

    def _environment(self) -> dict[str, str]:
        """This server's own, with the endpoints of the local cloud where it names no others."""
        given = {**os.environ, VARIABLE: str(self.faults)}
        environment = environment_of(self.cloud_url, given)
        if self.pubsub:
            environment["PUBSUB_EMULATOR_HOST"] = self.pubsub
        environment["PYTHONPATH"] = str(Path(local.__file__).parent.parent)
        return environment
