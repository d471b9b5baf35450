"""Streaming jobs of a local cloud, submitted by the unmodified DataflowRunner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.support.dataflow_cloud import LAUNCHER, DataflowCloud, Launcher
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.pubsub_wire import Wire

SCRIPT = LAUNCHER.with_name("streaming_launcher.py")


class StreamingJobs:
    """Running jobs, one of each kind of pipeline in streaming_launcher.py, named as their kind."""

    def __init__(
        self,
        cloud: DataflowCloud,
        pubsub: PubsubEmulator,
        log: Path,
        kinds: Sequence[str],
        *options: str,
    ) -> None:
        self.cloud = cloud
        self.log = log
        self.wires = {kind: Wire(pubsub) for kind in kinds}
        self.jobs = self._launch([(kind, kind, list(options)) for kind in kinds])

    def _launch(self, jobs: list[tuple[str, str, list[str]]]) -> dict[str, str]:
        asked = [
            (kind, name.replace("_", "-"), ["--streaming", *self.wires[name].options, *more])
            for kind, name, more in jobs
        ]
        launcher = Launcher(self.cloud, asked, self.log, SCRIPT)
        launcher.end()
        return {name: launcher.id(name.replace("_", "-")) for _, name, _ in jobs}

    def update(self, name: str, kind: str) -> str:
        """A job of another kind in the place of a running one; its id."""
        return self._launch([(kind, name, ["--update"])])[name]

    def running(self, name: str) -> Wire:
        """The wire of a job, once that runs."""
        assert self.cloud.await_state(self.jobs[name], "RUNNING", "FAILED") == "RUNNING"
        return self.wires[name]
