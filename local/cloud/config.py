"""Settings of the local cloud."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path

STREAMING_ACKS = ("committed", "first-stage")
"""`committed`: once everything downstream of a message has been processed. `first-stage`: as
Dataflow does, once the steps up to the first one that stores or groups have committed it."""

_PROJECT_NUMBER = "123456789012"


@dataclass(frozen=True)
class WorkerImage:
    """What stands in for a container image: an interpreter and what is installed beside it."""

    python: str
    pythonpath: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    """What the image of a prediction server runs, as its ENTRYPOINT says."""


@dataclass(frozen=True)
class CloudConfig:
    """One server: where it listens, where its state lies, which images its workers may use."""

    data: Path
    port: int
    host: str = "127.0.0.1"
    project: str = "nightstream-local"
    images: dict[str, WorkerImage] = field(default_factory=dict)
    refuse_active_job_name: bool = False
    """A second Dataflow job of an active name: 409 if true, else the answer is the active job."""

    streaming_buffer_s: float = 300.0
    """How long inserted rows stay in a BigQuery table's streaming buffer, in seconds."""

    pubsub: str | None = None
    """Where streaming jobs find a Pub/Sub emulator, e.g. localhost:8085; else as the environment
    says (PUBSUB_EMULATOR_HOST)."""
    streaming_bundle: int = 1_000
    """The most messages in a bundle of a streaming job."""
    streaming_ack: str = "committed"
    """When a streaming job acknowledges a message: one of STREAMING_ACKS."""

    monitoring_interval_s: float = 60.0
    """How often Cloud Monitoring's metrics are sampled, in seconds."""
    monitoring_delay_s: float | None = None
    """For how long a point is not visible yet, in seconds; None as the service says, by metric."""

    def number_of(self, project: str) -> str:
        """The number of a project, by its id or by that number itself."""
        if project.isdecimal():
            return project
        if project == self.project:
            return _PROJECT_NUMBER
        return f"{zlib.crc32(project.encode()):012d}"

    @property
    def url(self) -> str:
        """Root URL for clients; `localhost`, since Beam refuses an endpoint named 127.0.0.1."""
        return f"http://localhost:{self.port}"
