"""Starting the supervisor of a job."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import local
from local.cloud.dataflow.folder import JobFolder
from local.cloud.faults.in_jobs import VARIABLE


@dataclass(frozen=True)
class Launcher:
    """Starts supervisors, each in a session of its own, so that they outlive the server."""

    cloud_url: str
    pubsub: str | None
    faults: Path
    """Where jobs look for the points at which faults are armed."""

    def __call__(self, folder: JobFolder) -> None:
        first = "flex.launcher" if folder.launch() else "supervisor"
        lock = folder.hold()
        try:
            with folder.log.open("ab") as log:
                process = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        f"local.cloud.dataflow.{first}",
                        folder.path,
                        str(lock),
                    ],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lock,),
                    start_new_session=True,
                )
        finally:
            os.close(lock)
        threading.Thread(target=process.wait, daemon=True).start()

    def _environment(self) -> dict[str, str]:
        """This server's own, with the endpoints of the local cloud where it names no others."""
        endpoints = {
            "STORAGE_EMULATOR_HOST": self.cloud_url,
            "BIGQUERY_EMULATOR_HOST": self.cloud_url,
            "GCE_METADATA_HOST": self.cloud_url.removeprefix("http://"),
            "GCE_METADATA_IP": self.cloud_url.removeprefix("http://"),
        }
        environment = {**endpoints, **os.environ, VARIABLE: str(self.faults)}
        if self.pubsub:
            environment["PUBSUB_EMULATOR_HOST"] = self.pubsub
        environment["PYTHONPATH"] = str(Path(local.__file__).parent.parent)
        return environment
