"""Settings of the local cloud."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class WorkerImage:
    """What stands in for a container image: an interpreter and what is installed beside it."""

    python: str
    pythonpath: tuple[str, ...] = ()


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

    @property
    def url(self) -> str:
        """Root URL for clients; `localhost`, since Beam refuses an endpoint named 127.0.0.1."""
        return f"http://localhost:{self.port}"
