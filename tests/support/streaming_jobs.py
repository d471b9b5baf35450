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
        self.wires = {kind: Wire(pubsub) for kind in kinds}
        names = {kind: kind.replace("_", "-") for kind in kinds}
        asked = [
            (kind, names[kind], ["--streaming", *self.wires[kind].options, *options])
            for kind in kinds
        ]
        launcher = Launcher(cloud, asked, log, SCRIPT)
        launcher.end()
        self.jobs = {kind: launcher.id(names[kind]) for kind in kinds}

    def running(self, name: str) -> Wire:
        """The wire of a job, once that runs."""
        assert self.cloud.await_state(self.jobs[name], "RUNNING", "FAILED") == "RUNNING"
        return self.wires[name]
